import type { FilePart, ImagePart } from '@orra/core'
import { type ImageSize, toMedium } from './medium.ts'

/** An image is read in squares of so many pixels an edge, each of which is a token. */
const PATCH_EDGE = 28
/** Larger images are made smaller first, until both hold. */
const STANDARD = { edge: 1568, tokens: 1568 }
/** From Claude 4.7 on. */
const HIGH_RESOLUTION = { edge: 2576, tokens: 4784 }

/** Each page of a PDF is sent as its text, of which the API's documents say 1,500 to 3,000 tokens, and as an image. */
const PDF_PAGE_TOKENS = 1500 + 1600

/** The words in the place of a medium that cannot be sent. */
const CHARACTERS_PER_TOKEN = 3.5

/**
 * What an image or a PDF costs by Anthropic's rules; `undefined` for a URL, and for a text file, which costs what its text
 * does. A PDF whose pages cannot be counted is taken for one page every 100,000 bytes.
 */
export function mediaTokens(part: ImagePart | FilePart, model: string): number | undefined {
  const medium = toMedium(part)
  switch (medium.kind) {
    case 'image':
      return medium.size && imageTokens(medium.size, model)
    case 'pdf':
      return medium.pages === undefined ? undefined : medium.pages * PDF_PAGE_TOKENS
    case 'words':
      return Math.ceil(medium.text.length / CHARACTERS_PER_TOKEN)
    default:
      return undefined
  }
}

function imageTokens({ width, height }: ImageSize, model: string): number {
  const most = isHighResolution(model) ? HIGH_RESOLUTION : STANDARD
  const byArea = Math.sqrt((most.tokens * PATCH_EDGE ** 2) / (width * height))
  const scale = Math.min(1, most.edge / Math.max(width, height), byArea)
  const patches = (pixels: number) => Math.ceil((pixels * scale) / PATCH_EDGE)
  return Math.min(most.tokens, patches(width) * patches(height))
}

/** A model whose version its name does not tell is taken for a new one. */
function isHighResolution(model: string): boolean {
  const [, major, minor = '0'] = /claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/.exec(model) ?? []
  return major === undefined || Number(major) > 4 || (Number(major) === 4 && Number(minor) >= 7)
}
