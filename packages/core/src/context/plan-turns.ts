import type { Conversation, PlacedMessage, Turn } from '../log/conversation.ts'
import type { SentContext } from '../store/entry.ts'
import type { ContextStrategy } from './context-strategy.ts'
import { openingOf } from './opening.ts'
import { legalMessages } from './repair-turn.ts'
import type { Shaped, Shaper } from './shape-message.ts'

/** Which turns are sent, and in what shape. */
export interface Plan {
  /** The index of the oldest turn that is sent. */
  readonly first: number
  /** Tool results before this `seq` are left out. */
  readonly resultsFrom: number
}

/** Whether a request of so many estimated tokens fits into a part of the room. @default all of it */
export type Fits = (estimatedTokens: number, part?: number) => boolean

interface PlanOptions {
  readonly strategies: readonly ContextStrategy[]
  readonly shaper: Shaper
  /** Of what is sent in any case. */
  readonly fixedTokens: number
  readonly fits: Fits
  /** What was decided for the call before, where that still holds. */
  readonly before: Plan | undefined
}

/** Once something has to go, so much goes that this part of the room is filled: then what is sent begins the same for a while. */
const AIM = 0.75

/** Of what was left out more can be sent again while no more than this part of the room is filled. */
const MUCH_ROOM = 0.5

/** The decisions of the call before while all fits; else more goes, by the strategies in their order, oldest first. */
export function planTurns(conversation: Conversation, options: PlanOptions): Plan {
  const { strategies, shaper, fixedTokens, fits, before } = options
  const { turns } = conversation
  const newest = turns.length - 1

  const turnTokens = (turn: Turn | undefined, resultsFrom: number) =>
    turn ? legalMessages(turn).reduce((sum, placed) => sum + shapedFor(placed, resultsFrom, shaper).tokens, 0) : 0

  function openingTokens(first: number): number {
    return openingOf(conversation, seqOf(turns[first])).reduce((sum, placed) => sum + shaper.clipped(placed).tokens, 0)
  }

  function tokensOf({ first, resultsFrom }: Plan): number {
    let tokens = fixedTokens + openingTokens(first)
    for (let index = first; index <= newest; index += 1) tokens += turnTokens(turns[index], resultsFrom)
    return tokens
  }

  /** Where to begin to look: turns before that could not be sent even without their results. */
  function earliest(): number {
    let tokens = fixedTokens
    for (let index = newest; index > 0; index -= 1) {
      tokens += turnTokens(turns[index], Number.POSITIVE_INFINITY)
      if (!fits(tokens)) return index
    }
    return 0
  }

  /** Those of the newest step stay, for the model has not seen them. */
  function dropResults(plan: Plan): Plan {
    let tokens = tokensOf(plan)
    let { resultsFrom } = plan
    const end = newestStep(turns[newest])
    for (let index = plan.first; index <= newest; index += 1) {
      for (const placed of legalMessages(turns[index] as Turn)) {
        if (placed.seq >= end || fits(tokens, AIM)) return { ...plan, resultsFrom }
        if (placed.seq < resultsFrom || placed.message.role !== 'tool') continue
        tokens += shaper.bare(placed).tokens - shaper.clipped(placed).tokens
        resultsFrom = placed.seq + 1
      }
    }
    return { ...plan, resultsFrom }
  }

  function dropTurns({ first, resultsFrom }: Plan): Plan {
    let tokens = tokensOf({ first, resultsFrom }) - openingTokens(first)
    let left = first
    while (left < newest && !fits(tokens + openingTokens(left), AIM)) {
      tokens -= turnTokens(turns[left], resultsFrom)
      left += 1
    }
    return { first: left, resultsFrom }
  }

  /** What was left out is sent again once there is much room, as after an odd count of a provider's. */
  function begin(): Plan {
    const fresh = () => ({ first: earliest(), resultsFrom: 0 })
    if (!before) return fresh()
    const leavesOut = before.first > 0 || before.resultsFrom > 0
    if (!leavesOut || !fits(tokensOf(before), MUCH_ROOM)) return before
    const more = fresh()
    return fits(tokensOf(more), AIM) ? more : before
  }

  let plan = begin()
  for (const type of [...strategies.map((strategy) => strategy.type), 'drop-turns']) {
    if (fits(tokensOf(plan))) break
    if (type === 'drop-results') plan = dropResults(plan)
    if (type === 'drop-turns') plan = dropTurns(plan)
  }
  return plan
}

/** The plan by which a call was sent. */
export function planOf(turns: readonly Turn[], { from, resultsFrom = 0 }: SentContext): Plan {
  let low = 0
  let high = Math.max(0, turns.length - 1)
  while (low < high) {
    const middle = (low + high) >> 1
    if (seqOf(turns[middle]) < from) low = middle + 1
    else high = middle
  }
  return { first: low, resultsFrom }
}

export function shapedFor(placed: PlacedMessage, resultsFrom: number, shaper: Shaper): Shaped {
  return placed.seq < resultsFrom ? shaper.bare(placed) : shaper.clipped(placed)
}

/** The place of the first message of a turn; after all others while it has none. */
export function seqOf(turn: Turn | undefined): number {
  return turn?.messages[0]?.seq ?? Number.MAX_SAFE_INTEGER
}

/** Where what the model said last begins, or what it has not answered yet. */
function newestStep(turn: Turn | undefined): number {
  return turn?.messages.findLast(({ message }) => message.role === 'assistant')?.seq ?? seqOf(turn)
}
