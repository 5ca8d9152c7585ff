import type { ContentPart } from '@orra/core'
import type OpenAI from 'openai'
import { isBlank } from '../legal-text.ts'
import { inWords, toMedium } from '../media.ts'

export type ChatPart = OpenAI.ChatCompletionContentPartText | ChatMedium

type ChatMedium = OpenAI.ChatCompletionContentPartImage | OpenAI.ChatCompletionContentPart.File

/** A part as the API takes it; in the place of what it does not take, words that say so. */
export function toChatParts(part: ContentPart): ChatPart[] {
  if (part.type === 'text') return toTextParts(part.text)
  const medium = toMedium(part)
  if (medium.kind === 'image') return [{ type: 'image_url', image_url: { url: medium.url } }]
  if (medium.kind !== 'pdf') return toTextParts(medium.text)
  // Of files the API takes the bytes only.
  if (!medium.isData) return toTextParts(inWords(part, 'is at an address that this model cannot reach'))
  return [{ type: 'file', file: { filename: medium.name, file_data: medium.url } }]
}

/** The API refuses text that is empty, and some models' templates text that is blank. */
export function toTextParts(text: string): ChatPart[] {
  return isBlank(text) ? [] : [{ type: 'text', text: text.toWellFormed() }]
}
