import type Anthropic from '@anthropic-ai/sdk'
import type { ContentPart, FilePart, ImagePart } from '@orra/core'
import { isBlank } from './legal-text.ts'
import { inWords, toMedium } from './medium.ts'

type MediaBlock = Anthropic.ImageBlockParam | Anthropic.DocumentBlockParam

/** What users and tools say can be made of. */
export type ContentBlock = Anthropic.TextBlockParam | MediaBlock

/** What the limits of a whole request need to know of one medium in it. */
export interface MediaFacts {
  readonly kind: 'image' | 'pdf' | 'text'
  /** The longer edge of an image, in pixels; infinite where it is not known. */
  readonly edge: number
  readonly pages: number
  /** The sentence that can take its place. */
  readonly leftOut: string
}

const facts = new WeakMap<object, MediaFacts>()
const MOST_TITLE_CHARACTERS = 500

/** A part as the API takes it; in the place of what it does not take, words that say so. */
export function toContentBlocks(part: ContentPart): ContentBlock[] {
  if (part.type === 'text') return toTextBlocks(part.text)
  const medium = toMedium(part)
  if (medium.kind === 'words') return toTextBlocks(medium.text)
  const leftOut = inWords(part, 'is no longer shown, to leave room for newer ones')
  if (medium.kind === 'image') {
    const { width, height } = medium.size ?? { width: Number.POSITIVE_INFINITY, height: 0 }
    const edge = Math.max(width, height)
    return [remembered({ type: 'image', source: medium.source }, { kind: 'image', edge, pages: 0, leftOut })]
  }
  const pages = medium.kind === 'pdf' ? (medium.pages ?? 1) : 0
  const block = { type: 'document', source: medium.source, ...titleOf(part) } as const
  return [remembered(block, { kind: medium.kind, edge: 0, pages, leftOut })]
}

/** The API refuses text that is empty or blank. */
export function toTextBlocks(text: string): Anthropic.TextBlockParam[] {
  return isBlank(text) ? [] : [{ type: 'text', text: text.toWellFormed() }]
}

/** What was found out about a block that `toContentBlocks` made. */
export function mediaFacts(block: object): MediaFacts | undefined {
  return facts.get(block)
}

function remembered(block: MediaBlock, known: MediaFacts): MediaBlock {
  facts.set(block, known)
  return block
}

function titleOf(part: ImagePart | FilePart): { readonly title?: string } {
  if (part.type !== 'file' || part.name === undefined || isBlank(part.name)) return {}
  return { title: part.name.slice(0, MOST_TITLE_CHARACTERS).toWellFormed() }
}
