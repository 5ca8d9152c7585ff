import type { ResponseOutputMessage, ResponseReasoningItem } from 'openai/resources/responses/responses'
import { fieldsOf, listOf, stringOf } from '../loose-json.ts'

/** Between two thoughts of one item. */
export const BETWEEN_THOUGHTS = '\n\n'

/** What a message says, or refuses with. */
export function answerIn({ content }: Pick<ResponseOutputMessage, 'content'>): string {
  return listOf(content)
    .map(fieldsOf)
    .map(({ text, refusal }) => stringOf(text) + stringOf(refusal))
    .join('')
}

/** The texts of an item's summary. */
export function summaryIn({ summary }: Pick<ResponseReasoningItem, 'summary'>): readonly string[] {
  return textsIn(summary)
}

/** An item's summary, and the thoughts themselves where a server shows them. */
export function thoughtIn({ summary, content }: Pick<ResponseReasoningItem, 'summary' | 'content'>): string {
  return [...textsIn(summary), ...textsIn(content)].join(BETWEEN_THOUGHTS)
}

function textsIn(parts: unknown): readonly string[] {
  return listOf(parts)
    .map((part) => stringOf(fieldsOf(part)['text']))
    .filter(Boolean)
}
