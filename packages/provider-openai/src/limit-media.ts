import type { ContentPart, FilePart, ImagePart, Message } from '@orra/core'
import { inWords, toMedium } from './media.ts'
import { MEDIA_LIMITS } from './media-limits.ts'

/**
 * What goes when there is too much is rounded up to whole steps, so that the next requests leave out the same and keep
 * their beginning, by which the provider finds its cache.
 */
const STEPS = { images: 50, bytes: 10_000_000 }

/** A medium of the request, in its place. */
interface Use {
  readonly part: ImagePart | FilePart
  readonly bytes: number
  readonly images: number
}

/** Words take the place of the oldest media where all together are more than a request may hold. */
export function limitMedia(messages: readonly Message[]): readonly Message[] {
  const uses = messages.flatMap(mediaIn).map(toUse)
  const first = Math.max(
    firstKept(uses, ({ images }) => images, MEDIA_LIMITS.images, STEPS.images),
    firstKept(uses, ({ bytes }) => bytes, MEDIA_LIMITS.allBytes, STEPS.bytes),
  )
  if (first === 0) return messages
  let place = 0
  const kept = (part: ContentPart): ContentPart => {
    if (part.type === 'text') return part
    place += 1
    return place > first
      ? part
      : { type: 'text', text: inWords(part, 'is no longer shown, to leave room for newer ones') }
  }
  return messages.map((message): Message => {
    if (message.role === 'user') return { role: 'user', content: message.content.map(kept) }
    if (message.role === 'assistant') return message
    return { role: 'tool', content: message.content.map((part) => ({ ...part, content: part.content.map(kept) })) }
  })
}

function mediaIn(message: Message): readonly (ImagePart | FilePart)[] {
  if (message.role === 'assistant') return []
  const parts = message.role === 'user' ? message.content : message.content.flatMap(({ content }) => content)
  return parts.filter((part) => part.type !== 'text')
}

function toUse(part: ImagePart | FilePart): Use {
  const medium = toMedium(part)
  const isSent = medium.kind === 'image' || medium.kind === 'pdf'
  return { part, bytes: isSent ? medium.url.length : 0, images: medium.kind === 'image' ? 1 : 0 }
}

/** How many of the oldest go until what is left fits into `most`, and on to a whole step, though not the newest for that. */
function firstKept(uses: readonly Use[], sizeOf: (use: Use) => number, most: number, step: number): number {
  const excess = uses.reduce((sum, use) => sum + sizeOf(use), 0) - most
  if (excess <= 0) return 0
  const wanted = Math.ceil(excess / step) * step
  const newest = uses.findLastIndex((use) => sizeOf(use) > 0)
  let gone = 0
  for (const [index, use] of uses.entries()) {
    if (gone >= wanted || (gone >= excess && index === newest)) return index
    gone += sizeOf(use)
  }
  return uses.length
}
