import { isOrraError } from '../errors.ts'
import type { Conversation, MeasuredCall } from '../log/conversation.ts'
import type { Message } from '../message.ts'
import type { SentContext } from '../store/entry.ts'
import { type Calibrate, calibrate, type Measured } from './calibrate.ts'
import type { ContextReport } from './context-report.ts'
import type { ContextBudget } from './context-rules.ts'
import type { ContextStrategy } from './context-strategy.ts'
import { openingOf } from './opening.ts'
import { type Fits, planOf, planTurns, seqOf, shapedFor } from './plan-turns.ts'
import { legalMessages } from './repair-turn.ts'
import type { Shaper } from './shape-message.ts'
import { type ShapedMessage, squeeze } from './squeeze.ts'

export interface CompileOptions {
  readonly model: string
  readonly budget: ContextBudget
  readonly strategies: readonly ContextStrategy[]
  readonly shaper: Shaper
  readonly instructionTokens: number
  readonly toolTokens: number
  /** Less than the budget, once the provider has said that something was too much. @default the budget */
  readonly mostTokens?: number
  /** A request like this one that was counted. @default the model's last call in the conversation */
  readonly measured?: Measured | undefined
}

export interface Compiled {
  readonly messages: readonly Message[]
  readonly report: ContextReport
  readonly sent: SentContext
  /** Turns are dropped that were sent until now. Those that another model was sent are still to be had by that one. */
  readonly dropsMore: boolean
}

/** After each run that ended because too much was sent half as much is tried, so often. */
const MOST_HALVINGS = 6

/**
 * The messages to send, of a conversation as its log tells it: all of them while they fit, then less, by the strategies in
 * their order; always the newest turn. Pure: it depends on its arguments alone. What was left out in the model's last call
 * stays left out, so that what is sent begins the same from call to call. The work is that of what is sent. Throws
 * `context.too-long` where not even the newest turn can be made to fit.
 */
export function compile(conversation: Conversation, options: CompileOptions): Compiled {
  const { model, budget, mostTokens } = options
  const last = conversation.calls.get(model)
  const likely = calibrate(options.measured ?? (last && measuredBy(last)))
  const whole = budget.budgetTokens
  const room = mostTokens ?? Math.floor(whole * 0.5 ** Math.min(conversation.overflows, MOST_HALVINGS))
  // What one way does not fit may fit another, which is better than nothing: the provider has the last word.
  const ways = [
    { room, likely },
    { room: whole, likely },
    { room: whole, likely: calibrate(undefined) },
  ]
  for (const way of mostTokens === undefined ? ways : ways.slice(0, 1)) {
    try {
      return compileWithin(conversation, options, way)
    } catch (error) {
      if (!isOrraError(error, 'context.too-long')) throw error
    }
  }
  return compileWithin(conversation, options, ways[0] as Way)
}

/** How much may be sent, and how that is estimated. */
interface Way {
  readonly room: number
  readonly likely: Calibrate
}

function compileWithin(conversation: Conversation, options: CompileOptions, { room, likely }: Way): Compiled {
  const { model, budget, strategies, shaper, instructionTokens, toolTokens } = options
  const { turns, calls, compaction, forgottenTurns } = conversation
  const { budgetTokens } = budget
  const fits: Fits = (estimatedTokens, part = 1) => likely(estimatedTokens) <= room * part
  const fixedTokens = instructionTokens + toolTokens

  const last = calls.get(model)
  const before = last?.context.budgetTokens === budgetTokens ? planOf(turns, last.context) : undefined
  const plan = planTurns(conversation, { strategies, shaper, fixedTokens, fits, before })
  const opening: readonly ShapedMessage[] = openingOf(conversation, seqOf(turns[plan.first])).map((placed) => ({
    placed,
    shaped: shaper.clipped(placed),
  }))
  const chosen: readonly ShapedMessage[] = turns
    .slice(plan.first)
    .flatMap(legalMessages)
    .map((placed) => ({ placed, shaped: shapedFor(placed, plan.resultsFrom, shaper) }))
  const all = [...opening, ...chosen]
  const messages = squeeze(all, { shaper, fixedTokens, roomTokens: room, fits })

  const openingTokens = tokensOf(messages.slice(0, opening.length))
  const messageTokens = tokensOf(messages.slice(opening.length))
  const estimatedTokens = fixedTokens + openingTokens + messageTokens
  const smaller = chosen.filter(({ shaped }) => shaped.leftOut > 0)
  const dropped = smaller.filter(({ placed }) => placed.seq < plan.resultsFrom)
  const from = Math.min(seqOf(turns[plan.first]), conversation.length)
  // What another model was sent until now is still to be had by that one.
  const sentUntilNow = before?.first ?? (calls.size === 0 ? 0 : plan.first)
  return {
    messages: messages.map(({ shaped }) => shaped.message),
    sent: { estimatedTokens, budgetTokens, from, ...(plan.resultsFrom > 0 ? { resultsFrom: plan.resultsFrom } : {}) },
    dropsMore: plan.first > sentUntilNow,
    report: {
      ...{ model, ...budget, estimatedTokens: likely(estimatedTokens) },
      ...{ instructionTokens, toolTokens, openingTokens, messageTokens },
      ...{ sentTurns: turns.length - plan.first, sentMessages: chosen.length },
      ...{ compactedTurns: compaction?.turns ?? 0, droppedTurns: forgottenTurns + plan.first },
      ...{ droppedResults: dropped.length, clippedResults: smaller.length - dropped.length },
      leftOutTokens: smaller.reduce((sum, { shaped }) => sum + shaped.leftOut, 0),
      squeezedMessages: messages.filter((one, index) => one !== all[index]).length,
    },
  }
}

export function measuredBy({ context, sentTokens }: MeasuredCall): Measured {
  return { estimatedTokens: context.estimatedTokens, realTokens: sentTokens }
}

function tokensOf(messages: readonly ShapedMessage[]): number {
  return messages.reduce((sum, { shaped }) => sum + shaped.tokens, 0)
}
