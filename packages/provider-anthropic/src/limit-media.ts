import type Anthropic from '@anthropic-ai/sdk'
import { OrraError } from '@orra/core'
import { jsonBytes } from './json-bytes.ts'
import { REQUEST_LIMITS } from './request-limits.ts'
import { type ContentBlock, type MediaFacts, mediaFacts } from './to-content-blocks.ts'
import type { AnthropicMessage } from './to-message-blocks.ts'

/** An image or a document of the request. */
interface Use extends MediaFacts {
  /** So many are saved when it is left out; below 0 for what is shorter than the words in its place. */
  readonly bytes: number
  isLeftOut: boolean
}

/**
 * What goes when there is too much is rounded up to whole steps, so that the next requests leave out the same and keep
 * their beginning, by which the provider finds its cache.
 */
const STEPS = { images: 25, manyMedia: 5, pages: 25, bytes: 8_000_000 }

/**
 * Keeps to what a whole request may hold: where there are too many images, pages or bytes, words take the place of the
 * oldest media. `otherBytes` is the size of everything beside the messages. Throws `provider.context-too-long` when the
 * text alone is too much.
 */
export function limitMedia(messages: AnthropicMessage[], otherBytes: number): AnthropicMessage[] {
  const uses: Use[] = []
  for (const { content } of messages) for (const block of content) addUses(block, uses)
  limitImages(uses)
  leaveOut(uses, ({ pages }) => pages, REQUEST_LIMITS.pdfPages, STEPS.pages)
  const total = messages.reduce((sum, { content }) => sum + bytesOf(content), otherBytes)
  const room = REQUEST_LIMITS.requestBytes - (total - sumOf(uses, ({ bytes }) => bytes))
  leaveOut(uses, ({ bytes }) => bytes, room, STEPS.bytes)
  const shown = uses.filter(({ isLeftOut }) => !isLeftOut)
  if (sumOf(shown, ({ bytes }) => bytes) > room) throw tooLong()
  return shown.length < uses.length ? withoutMedia(messages, uses) : messages
}

function addUses(block: Anthropic.ContentBlockParam, uses: Use[]): void {
  if (block.type === 'tool_result') for (const inner of contentOf(block)) addUses(inner, uses)
  const facts = mediaFacts(block)
  if (facts) uses.push({ ...facts, bytes: jsonBytes(block) - jsonBytes(inPlaceOf(facts)), isLeftOut: false })
}

/** With many media in a request the API takes no large images; then the newest are kept, large or not. */
function limitImages(uses: readonly Use[]): void {
  const images = uses.filter(({ kind }) => kind === 'image')
  leaveOut(images, () => 1, REQUEST_LIMITS.images, STEPS.images)
  if (uses.length <= REQUEST_LIMITS.manyMedia || images.every(({ edge }) => edge <= REQUEST_LIMITS.manyMediaEdge))
    return
  leaveOut(images, () => 1, REQUEST_LIMITS.manyMedia - (uses.length - images.length), STEPS.manyMedia)
}

/** Leaves out the oldest until what is left fits into `most`, and on to a whole step, though not the newest for that. */
function leaveOut(uses: readonly Use[], sizeOf: (use: Use) => number, most: number, step: number): void {
  const shown = uses.filter((use) => !use.isLeftOut && sizeOf(use) > 0)
  const excess = sumOf(shown, sizeOf) - most
  const wanted = Math.ceil(excess / step) * step
  let gone = 0
  for (const use of shown) {
    if (gone >= wanted || (gone >= excess && use === shown.at(-1))) return
    use.isLeftOut = true
    gone += sizeOf(use)
  }
}

function sumOf(uses: readonly Use[], sizeOf: (use: Use) => number): number {
  return uses.reduce((sum, use) => sum + sizeOf(use), 0)
}

function withoutMedia(messages: readonly AnthropicMessage[], uses: readonly Use[]): AnthropicMessage[] {
  let next = 0
  const kept = <Block extends Anthropic.ContentBlockParam>(block: Block): Block | Anthropic.TextBlockParam => {
    if (block.type === 'tool_result') {
      const from = next
      const content = contentOf(block).map(kept)
      return uses.slice(from, next).some(({ isLeftOut }) => isLeftOut) ? { ...block, content } : block
    }
    if (!mediaFacts(block)) return block
    const use = uses[next]
    next += 1
    return use?.isLeftOut ? inPlaceOf(use) : block
  }
  return messages.map(({ role, content }) => ({ role, content: content.map(kept) }))
}

/** What a result holds beside plain words. */
function contentOf({ content }: Anthropic.ToolResultBlockParam): readonly ContentBlock[] {
  return Array.isArray(content) ? (content as ContentBlock[]) : []
}

function inPlaceOf({ leftOut }: MediaFacts): Anthropic.TextBlockParam {
  return { type: 'text', text: leftOut }
}

function bytesOf(content: readonly Anthropic.ContentBlockParam[]): number {
  return content.reduce((sum, block) => sum + jsonBytes(block) + 1, 40)
}

function tooLong(): OrraError<'provider.context-too-long'> {
  const message = 'The request is larger than the 32 MB that Anthropic takes; send less.'
  return new OrraError('provider.context-too-long', message, { details: { provider: 'anthropic' } })
}
