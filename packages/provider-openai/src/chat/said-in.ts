import { type Fields, fieldsOf, listOf, stringOf } from '../loose-json.ts'
import type { Delta, ThoughtSplitter } from './split-thoughts.ts'

/**
 * What a message, or a piece of one, says and thinks. Its content is text or a list of parts; its thoughts stand in a field of
 * their own, under either of two names or both, among the parts, or in the text. A refusal is text.
 */
export function saidIn(message: Fields, thoughts: ThoughtSplitter): readonly Delta[] {
  const { reasoning_content, reasoning, content, refusal } = message
  return [
    ...thought(stringOf(reasoning_content) || stringOf(reasoning)),
    ...listOf(content).flatMap((part) => saidInPart(part, thoughts)),
    ...thoughts.take(stringOf(refusal)),
  ]
}

function saidInPart(part: unknown, thoughts: ThoughtSplitter): readonly Delta[] {
  if (typeof part === 'string') return thoughts.take(part)
  const { type, text, thinking, refusal } = fieldsOf(part)
  if (type !== 'thinking') return thoughts.take(stringOf(text) || stringOf(refusal))
  return listOf(thinking).flatMap((inner) => thought(stringOf(inner) || stringOf(fieldsOf(inner)['text'])))
}

function thought(text: string): readonly Delta[] {
  return text === '' ? [] : [{ type: 'reasoning-delta', text }]
}
