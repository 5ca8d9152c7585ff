import type { JsonObject, ProviderData } from '@orra/core'

/** What of an output item the API wants back unchanged; kept in the `providerData` of its part. */
export interface ItemData {
  readonly id: string
  /** The model that was asked; no other can read its thoughts. */
  readonly model: string
  /** How many items the reply had; only with all of them can one of them go back. */
  readonly items: number
  /** The thoughts themselves, which only the model can read. */
  readonly encryptedContent?: string
  /** The texts of a summary, where they are not just what the part says. */
  readonly summary?: readonly string[]
  /** Whether a message was the answer or said on the way to it; some models want to be told again. */
  readonly phase?: 'commentary' | 'final_answer'
}

export function toProviderData(data: ItemData): ProviderData {
  return { openai: data as unknown as JsonObject }
}

/** What was kept of a part, by this provider; `undefined` when that is nothing, or not what it was. */
export function itemData(data: ProviderData | undefined): ItemData | undefined {
  const { id, model, items, encryptedContent, summary, phase } = data?.['openai'] ?? {}
  if (!isId(id) || typeof model !== 'string' || typeof items !== 'number') return undefined
  return {
    id,
    model,
    items,
    ...(isSeal(encryptedContent) ? { encryptedContent } : {}),
    ...(isTexts(summary) ? { summary } : {}),
    ...(phase === 'commentary' || phase === 'final_answer' ? { phase } : {}),
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[a-zA-Z0-9_-]{1,512}$/.test(value)
}

function isSeal(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.isWellFormed()
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string' && text.isWellFormed())
}
