import type { Usage } from '@orra/core'
import { countOf, type Fields, fieldsOf } from '../loose-json.ts'

const CHARACTERS_PER_TOKEN = 4

/** What a chunk or a whole reply says of its cost; 0 where it says nothing. */
export function reportedUsage(reply: Fields, choice: Fields): Usage {
  const usage = fieldsOf(reply['usage'] ?? choice['usage'] ?? fieldsOf(reply['x_groq'])['usage'])
  const { prompt_cache_hit_tokens, prompt_tokens_details, completion_tokens, total_tokens } = usage
  const { cached_tokens, cache_write_tokens } = fieldsOf(prompt_tokens_details)
  const inputTokens = countOf(usage['prompt_tokens'])
  const cacheReadTokens = Math.min(countOf(prompt_cache_hit_tokens ?? cached_tokens), inputTokens)
  // Some servers count thoughts in the total alone.
  const beyondInput = inputTokens === 0 ? 0 : countOf(total_tokens) - inputTokens
  return {
    inputTokens,
    outputTokens: Math.max(countOf(completion_tokens), beyondInput),
    cacheReadTokens,
    cacheWriteTokens: Math.min(countOf(cache_write_tokens), inputTokens - cacheReadTokens),
  }
}

/** Counts stand for the whole reply so far, and may come apart: of each, the highest is meant. */
export function highestUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: Math.max(a.inputTokens, b.inputTokens),
    outputTokens: Math.max(a.outputTokens, b.outputTokens),
    cacheReadTokens: Math.max(a.cacheReadTokens, b.cacheReadTokens),
    cacheWriteTokens: Math.max(a.cacheWriteTokens, b.cacheWriteTokens),
  }
}

/** With estimates in the place of what no server counted: a call that costs nothing would pass every limit. */
export function estimatedWhereSilent(usage: Usage, sentCharacters: () => number, madeCharacters: number): Usage {
  return {
    ...usage,
    inputTokens: usage.inputTokens || tokensIn(sentCharacters()),
    outputTokens: usage.outputTokens || tokensIn(madeCharacters),
  }
}

function tokensIn(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN)
}
