import type { FilePart, ImagePart } from '@orra/core'
import { type ImageSize, toMedium } from './media.ts'
import { bareModel } from './model-family.ts'

/** The words in the place of a medium that cannot be sent. */
const CHARACTERS_PER_TOKEN = 3.5

/** Older models look at an image as a whole, and then at squares of it. */
interface Tiles {
  readonly base: number
  readonly tile: number
}

/** Newer models look at patches of 32 × 32 pixels; small models pay more for each. */
interface Patches {
  readonly most: number
  readonly longestEdge: number
  readonly factor: number
}

/** The rules as OpenAI has published them, by how a model's name begins; the first that fits counts. */
const RULES: readonly (readonly [RegExp, Tiles | Patches])[] = [
  [/^gpt-4o-mini/, { base: 2833, tile: 5667 }],
  [/^gpt-4\.1-mini|^gpt-5(?:\.\d)?-mini/, patches(1536, 1.62)],
  [/^gpt-4\.1-nano|^gpt-5(?:\.\d)?-nano/, patches(1536, 2.46)],
  [/^o4-mini/, patches(1536, 1.72)],
  [/^gpt-(?:4|3)|^chatgpt-/, { base: 85, tile: 170 }],
  [/^o[13]/, { base: 75, tile: 150 }],
  [/^computer-use/, { base: 65, tile: 129 }],
  [/^gpt-5(?:$|-|\.1)/, { base: 70, tile: 140 }],
  [/^gpt-5\.[23]/, patches(1536, 1)],
]
/** From GPT-5.4 on; a model whose name is not known is taken for a new one. */
const NEWEST: Patches = { most: 2500, longestEdge: 2048, factor: 1 }

function patches(most: number, factor: number): Patches {
  return { most, longestEdge: Number.POSITIVE_INFINITY, factor }
}

/**
 * What an image costs by OpenAI's rules, at the detail that the model chooses itself; `undefined` for a URL, for a PDF, whose
 * text and pages both count, and for a text file, which costs what its text does.
 */
export function mediaTokens(part: ImagePart | FilePart, model: string): number | undefined {
  const medium = toMedium(part)
  if (medium.kind === 'words') return Math.ceil(medium.text.length / CHARACTERS_PER_TOKEN)
  if (medium.kind !== 'image' || !medium.size) return undefined
  const name = bareModel(model)
  const [, rule = NEWEST] = RULES.find(([names]) => names.test(name)) ?? []
  return 'tile' in rule ? tileTokens(medium.size, rule) : patchTokens(medium.size, rule)
}

/** Made to fit into 2,048 × 2,048, then until the shorter edge is 768, and cut into squares of 512. */
function tileTokens({ width, height }: ImageSize, { base, tile }: Tiles): number {
  const first = Math.min(1, 2048 / Math.max(width, height))
  const scale = first * Math.min(1, 768 / (Math.min(width, height) * first))
  const squares = (pixels: number) => Math.ceil(Math.max(1, Math.round(pixels * scale)) / 512)
  return base + tile * squares(width) * squares(height)
}

/** Made smaller until there are no more patches than may be, and one edge is of whole patches. */
function patchTokens({ width, height }: ImageSize, { most, longestEdge, factor }: Patches): number {
  const first = Math.min(1, longestEdge / Math.max(width, height))
  const [wide, high] = [(width * first) / 32, (height * first) / 32]
  if (Math.ceil(wide) * Math.ceil(high) <= most) return Math.ceil(Math.ceil(wide) * Math.ceil(high) * factor)
  const shrink = Math.sqrt(most / (wide * high))
  const whole = (length: number) => Math.max(1, Math.floor(length * shrink)) / (length * shrink)
  const scale = shrink * Math.min(whole(wide), whole(high))
  const count = (length: number) => Math.max(1, Math.ceil(Number((length * scale).toFixed(6))))
  return Math.ceil(Math.min(most, count(wide) * count(high)) * factor)
}
