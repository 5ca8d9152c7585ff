import type { FilePart, ImagePart } from '@orra/core'
import { readImageHeader } from './image-header.ts'
import { isBase64 } from './is-base64.ts'
import { isBlank } from './legal-text.ts'
import { MEDIA_LIMITS } from './media-limits.ts'

/**
 * What becomes of an image or a file: an image and a PDF are sent by URL, which may be one of data; a text file is sent as
 * text; words stand in the place of what would be refused.
 */
export type Medium =
  | { readonly kind: 'image'; readonly url: string; readonly size?: ImageSize }
  | { readonly kind: 'pdf'; readonly url: string; readonly name: string; readonly isData: boolean }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'words'; readonly text: string }

/** In pixels. */
export interface ImageSize {
  readonly width: number
  readonly height: number
}

const UNREADABLE = 'is empty or of a kind that this model cannot read'
const TOO_LARGE = 'is larger than this model takes'
const LOCKED = 'is locked with a password'
const OUT_OF_REACH = 'is at an address that this model cannot reach'

const IMAGE_TYPES = /^image\/(?:jpe?g|png|gif|webp)$/
const TEXT_TYPES = /^text\/|[/+](?:json|xml|yaml)$/

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
    return isReachable(url) ? { kind: 'image', url } : OUT_OF_REACH
  }
  const base64 = inBase64(data)
  if (base64.length > MEDIA_LIMITS.imageBytes) return TOO_LARGE
  // The bytes decide, not what they are said to be.
  const header = readImageHeader(base64)
  if (!header) return UNREADABLE
  const { width, height } = header
  return { kind: 'image', url: `data:${header.mediaType};base64,${base64}`, size: { width, height } }
}

function toDocument(part: FilePart): Found {
  if (part.mediaType === 'application/pdf') return toPdf(part)
  if (part.data === undefined || !TEXT_TYPES.test(part.mediaType)) return UNREADABLE
  const text = Buffer.from(part.data, 'base64').toString()
  if (isBlank(text)) return UNREADABLE
  const name = part.name === undefined || isBlank(part.name) ? 'a file' : `the file ${part.name.slice(0, 200)}`
  return { kind: 'text', text: `[What ${name} says:]\n${text}`.toWellFormed() }
}

function toPdf({ url, data, name }: FilePart): Found {
  const called = toFileName(name)
  if (url !== undefined) return isReachable(url) ? { kind: 'pdf', url, name: called, isData: false } : OUT_OF_REACH
  const base64 = inBase64(data)
  if (base64.length > MEDIA_LIMITS.fileBytes) return TOO_LARGE
  const text = Buffer.from(base64, 'base64').toString('latin1')
  if (!text.slice(0, 1024).includes('%PDF-')) return UNREADABLE
  if (/\/Encrypt\s{0,4}(?:\d|<<)/.test(text)) return LOCKED
  return { kind: 'pdf', url: `data:application/pdf;base64,${base64}`, name: called, isData: true }
}

/** The kind of a file is told by how its name ends. */
function toFileName(name = ''): string {
  const clean = name.slice(0, 200).toWellFormed()
  if (isBlank(clean)) return 'document.pdf'
  return /\.pdf$/i.test(clean) ? clean : `${clean}.pdf`
}

/** Neither line ends, nor another alphabet, nor missing padding. */
function inBase64(data: string): string {
  return isBase64(data) ? data : Buffer.from(data, 'base64').toString('base64')
}

function isReachable(url: string): boolean {
  return url.isWellFormed() && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}
