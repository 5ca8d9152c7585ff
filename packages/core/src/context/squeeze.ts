import { OrraError } from '../errors.ts'
import type { PlacedMessage } from '../log/conversation.ts'
import type { Fits } from './plan-turns.ts'
import type { Shaped, Shaper } from './shape-message.ts'

/** A message as it is to be sent. */
export interface ShapedMessage {
  readonly placed: PlacedMessage
  readonly shaped: Shaped
}

interface SqueezeOptions {
  readonly shaper: Shaper
  readonly fixedTokens: number
  readonly roomTokens: number
  readonly fits: Fits
}

/** What a message is squeezed to, in tokens, first and at last; half as much each time. */
const FIRST_SHARE = 0.25
const LEAST_TOKENS = 32

/**
 * The newest turn and what comes before it, made to fit where even they alone do not: the longest messages are shortened,
 * then shorter ones. What the user said last stays whole. Throws `context.too-long` when there is no way.
 */
export function squeeze(messages: readonly ShapedMessage[], options: SqueezeOptions): readonly ShapedMessage[] {
  const { shaper, fixedTokens, roomTokens, fits } = options
  const tokensOf = (list: readonly ShapedMessage[]) =>
    list.reduce((sum, { shaped }) => sum + shaped.tokens, fixedTokens)
  if (fits(tokensOf(messages))) return messages
  const asked = messages.findLast(({ placed }) => placed.message.role === 'user')
  for (let most = Math.floor(roomTokens * FIRST_SHARE); most >= LEAST_TOKENS; most = Math.floor(most / 2)) {
    const squeezed = messages.map((one) => {
      const isLong = one !== asked && (one.shaped.tokens > most || hasThoughts(one))
      return isLong ? { placed: one.placed, shaped: shaper.squeezed(one.placed, most) } : one
    })
    if (fits(tokensOf(squeezed))) return squeezed
  }
  throw tooLong(tokensOf(messages), roomTokens)
}

/** Thoughts of all messages go, or of none: a part of them no provider takes. */
function hasThoughts({ shaped }: ShapedMessage): boolean {
  return shaped.message.role === 'assistant' && shaped.message.content.some(({ type }) => type === 'reasoning')
}

function tooLong(estimatedTokens: number, budgetTokens: number): OrraError<'context.too-long'> {
  const message = `The instructions, the tools and the newest turn have about ${estimatedTokens} tokens and ${budgetTokens} fit; use shorter instructions, fewer tools or a model with a larger window.`
  return new OrraError('context.too-long', message, { details: { estimatedTokens, budgetTokens } })
}
