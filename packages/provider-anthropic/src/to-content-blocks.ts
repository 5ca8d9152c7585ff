import type Anthropic from '@anthropic-ai/sdk'
import type { ContentPart, FilePart, ImagePart } from '@orra/core'

/** What users and tools say can be made of. */
type ContentBlock = Anthropic.TextBlockParam | Anthropic.ImageBlockParam | Anthropic.DocumentBlockParam

const IMAGE_TYPES: { readonly [mediaType: string]: Anthropic.Base64ImageSource['media_type'] } = {
  'image/jpeg': 'image/jpeg',
  'image/jpg': 'image/jpeg',
  'image/png': 'image/png',
  'image/gif': 'image/gif',
  'image/webp': 'image/webp',
}

/** A part as the API takes it; in the place of what it does not take, words that say so. */
export function toContentBlocks(part: ContentPart): ContentBlock[] {
  if (part.type === 'text') return toTextBlocks(part.text)
  return [(part.type === 'image' ? toImage(part) : toDocument(part)) ?? unreadable(part)]
}

/** The API refuses text that is empty or blank. */
export function toTextBlocks(text: string): Anthropic.TextBlockParam[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }]
}

function toImage(part: ImagePart): Anthropic.ImageBlockParam | undefined {
  const type = IMAGE_TYPES[part.mediaType]
  if (!type) return undefined
  if (part.url !== undefined) return { type: 'image', source: { type: 'url', url: part.url } }
  return { type: 'image', source: { type: 'base64', media_type: type, data: part.data } }
}

function toDocument(part: FilePart): Anthropic.DocumentBlockParam | undefined {
  const source = part.mediaType === 'application/pdf' ? toPdf(part) : toPlainText(part)
  return source && { type: 'document', source, ...(part.name === undefined ? {} : { title: part.name }) }
}

function toPdf(part: FilePart): Anthropic.DocumentBlockParam['source'] {
  if (part.url !== undefined) return { type: 'url', url: part.url }
  return { type: 'base64', media_type: 'application/pdf', data: part.data }
}

function toPlainText({ mediaType, data }: FilePart): Anthropic.PlainTextSource | undefined {
  if (data === undefined || !/^text\/|[/+](json|xml)$/.test(mediaType)) return undefined
  const text = Buffer.from(data, 'base64').toString()
  return text.trim() === '' ? undefined : { type: 'text', media_type: 'text/plain', data: text }
}

function unreadable(part: ImagePart | FilePart): Anthropic.TextBlockParam {
  const name = part.type === 'file' && part.name !== undefined ? ` ${part.name}` : ''
  return {
    type: 'text',
    text: `[The ${part.type}${name} (${part.mediaType}) is empty or of a kind that this model cannot read.]`,
  }
}
