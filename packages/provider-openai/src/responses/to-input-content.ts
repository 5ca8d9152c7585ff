import type { ContentPart } from '@orra/core'
import type { ResponseInputContent } from 'openai/resources/responses/responses'
import { isBlank } from '../legal-text.ts'
import { toMedium } from '../media.ts'

/** A part as the API takes it; in the place of what it does not take, words that say so. */
export function toInputContent(part: ContentPart): readonly ResponseInputContent[] {
  if (part.type === 'text') return toInputText(part.text)
  const medium = toMedium(part)
  if (medium.kind === 'image') return [{ type: 'input_image', image_url: medium.url, detail: 'auto' }]
  if (medium.kind !== 'pdf') return toInputText(medium.text)
  const { url, name, isData } = medium
  return [isData ? { type: 'input_file', filename: name, file_data: url } : { type: 'input_file', file_url: url }]
}

function toInputText(text: string): readonly ResponseInputContent[] {
  return isBlank(text) ? [] : [{ type: 'input_text', text: text.toWellFormed() }]
}
