import type { ContentPart, FilePart, ImagePart, Message } from '../message.ts'
import { MEDIA_TOKENS } from './measure.ts'

/** More than providers make of the largest image. */
const MOST_IMAGE_TOKENS = 6000

/**
 * By how many tokens images and files may cost more than the estimate says, for what must not be too small: nothing where
 * the provider knows, else a token for each byte of a file, and any number for one that the provider fetches.
 */
export function mediaBeyondEstimate(
  messages: readonly Message[],
  known: (part: ImagePart | FilePart) => number | undefined,
): number {
  const beyond = (part: ContentPart) => (part.type === 'text' || known(part) !== undefined ? 0 : beyondEstimate(part))
  let tokens = 0
  for (const { content } of messages) {
    for (const part of content) {
      if (part.type === 'tool-result') for (const inner of part.content) tokens += beyond(inner)
      else if (part.type === 'image' || part.type === 'file') tokens += beyond(part)
    }
  }
  return tokens
}

function beyondEstimate(part: ImagePart | FilePart): number {
  if (part.type === 'image') return MOST_IMAGE_TOKENS - MEDIA_TOKENS
  if (part.data === undefined) return Number.POSITIVE_INFINITY
  return Math.max(0, Math.ceil((part.data.length * 3) / 4) - MEDIA_TOKENS)
}
