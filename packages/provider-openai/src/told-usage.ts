import type { Usage } from '@orra/core'

/** What a reply says that it cost; `undefined` when it does not. */
export function toldUsage(reply: unknown): Usage | undefined {
  const { usage } = (reply ?? {}) as { readonly usage?: { readonly [count: string]: unknown } | null }
  const inputTokens = usage?.['input_tokens'] ?? usage?.['prompt_tokens']
  const outputTokens = usage?.['output_tokens'] ?? 0
  if (!isCount(inputTokens) || !isCount(outputTokens)) return undefined
  return { inputTokens, outputTokens, cacheReadTokens: 0, cacheWriteTokens: 0 }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
