import type Anthropic from '@anthropic-ai/sdk'
import type { FilePart, ImagePart } from '@orra/core'
import { readImageHeader } from './image-header.ts'
import { isBlank } from './legal-text.ts'
import { readPdf } from './pdf-facts.ts'
import { REQUEST_LIMITS } from './request-limits.ts'

/** What becomes of an image or a file; `words` stand in the place of one that the API would refuse. */
export type Medium =
  | { readonly kind: 'image'; readonly source: Anthropic.ImageBlockParam['source']; readonly size?: ImageSize }
  | { readonly kind: 'pdf'; readonly source: Anthropic.DocumentBlockParam['source']; readonly pages?: number }
  | { readonly kind: 'text'; readonly source: Anthropic.PlainTextSource }
  | { readonly kind: 'words'; readonly text: string }

/** In pixels. */
export interface ImageSize {
  readonly width: number
  readonly height: number
}

const UNREADABLE = 'is empty or of a kind that this model cannot read'
const TOO_LARGE = 'is larger than this model takes'
const TOO_LONG = 'has more pages than this model takes'
const LOCKED = 'is locked with a password'
const OUT_OF_REACH = 'is at an address that this model cannot reach'

const IMAGE_TYPES = /^image\/(?:jpe?g|png|gif|webp)$/
const TEXT_TYPES = /^text\/|[/+](?:json|xml)$/
/** Of a PDF whose pages cannot be counted. Such files are mostly scans. */
const BYTES_PER_PAGE = 100_000

const known = new WeakMap<ImagePart | FilePart, Medium>()

/** Looks into a part once, for as long as it lives. */
export function toMedium(part: ImagePart | FilePart): Medium {
  const before = known.get(part)
  if (before) return before
  const found = part.type === 'image' ? toImage(part) : toDocument(part)
  const medium: Medium = typeof found === 'string' ? { kind: 'words', text: inWords(part, found) } : found
  known.set(part, medium)
  return medium
}

/** The sentence that stands in a medium's place. */
export function inWords(part: ImagePart | FilePart, what: string): string {
  const name = part.type === 'file' && part.name !== undefined ? ` ${part.name.slice(0, 200)}` : ''
  return `[The ${part.type}${name} (${part.mediaType.slice(0, 100)}) ${what}.]`.toWellFormed()
}

/** A medium, or what is wrong with it. */
type Found = Medium | string

function toImage({ mediaType, url, data }: ImagePart): Found {
  if (url !== undefined) {
    if (!IMAGE_TYPES.test(mediaType)) return UNREADABLE
    return isReachable(url) ? { kind: 'image', source: { type: 'url', url } } : OUT_OF_REACH
  }
  const base64 = inBase64(data)
  if (base64.length > REQUEST_LIMITS.imageBytes) return TOO_LARGE
  // The bytes decide, not what they are said to be: the API compares the two.
  const header = readImageHeader(base64)
  if (!header) return UNREADABLE
  const { width, height } = header
  if (Math.max(width, height) > REQUEST_LIMITS.imageEdge) return TOO_LARGE
  return {
    kind: 'image',
    source: { type: 'base64', media_type: header.mediaType, data: base64 },
    size: { width, height },
  }
}

function toDocument(part: FilePart): Found {
  if (part.mediaType === 'application/pdf') return toPdf(part)
  if (part.data === undefined || !TEXT_TYPES.test(part.mediaType)) return UNREADABLE
  const text = Buffer.from(part.data, 'base64').toString()
  if (isBlank(text)) return UNREADABLE
  return { kind: 'text', source: { type: 'text', media_type: 'text/plain', data: text } }
}

function toPdf({ url, data }: FilePart): Found {
  if (url !== undefined) return isReachable(url) ? { kind: 'pdf', source: { type: 'url', url } } : OUT_OF_REACH
  const base64 = inBase64(data)
  if (base64.length > REQUEST_LIMITS.pdfBytes) return TOO_LARGE
  const bytes = Buffer.from(base64, 'base64')
  const facts = readPdf(bytes)
  if (!facts) return UNREADABLE
  if (facts.isEncrypted) return LOCKED
  const { pages = Math.min(REQUEST_LIMITS.pdfPages, Math.ceil(bytes.length / BYTES_PER_PAGE)) } = facts
  if (pages > REQUEST_LIMITS.pdfPages) return TOO_LONG
  return { kind: 'pdf', source: { type: 'base64', media_type: 'application/pdf', data: base64 }, pages }
}

/** The API takes no line ends, no other alphabet and no missing padding. */
function inBase64(data: string): string {
  const isStrict = data.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(data)
  return isStrict ? data : Buffer.from(data, 'base64').toString('base64')
}

function isReachable(url: string): boolean {
  return url.isWellFormed() && URL.canParse(url) && new URL(url).protocol === 'https:'
}
