import { type Conversation, type MeasuredCall, newestCall, type Turn } from '../log/conversation.ts'
import type { Pin } from '../store/entry.ts'
import { calibrate } from './calibrate.ts'
import { measuredBy } from './compile.ts'
import type { ContextRules } from './context-rules.ts'
import { legalMessages } from './repair-turn.ts'

/** Turns for which a summary can stand, and what is to be written down beside it. */
export interface Compactable {
  readonly turns: readonly Turn[]
  /** The summary there is, of what came before. */
  readonly earlier: string | undefined
  /** What the turns and that summary take, in tokens. */
  readonly tokens: number
  /** As a `compaction` entry has it. */
  readonly place: {
    readonly through: number
    readonly after: number
    readonly turns: number
    readonly messages: number
    readonly pins: readonly Pin[]
  }
}

/** Turns that came before so many are no reason any more to keep what a model was sent in them. */
const RECENT_TURNS = 20
/** What is replaced is to be this part of the budget at least: else there would soon be another summary, and another. */
const LEAST_REPLACED = 0.2

/**
 * The oldest turns, all but the newest ones of so much of the budget; at least one turn stays, and one whose run is open.
 * `undefined` where that leaves nothing.
 */
export function compactable(conversation: Conversation, context: ContextRules, keep: number): Compactable | undefined {
  const { turns, compaction, pins, forgottenTurns } = conversation
  const model = newestCall(conversation)?.model ?? context.compaction.model
  const shaper = context.shaper(model, false)
  const keepTokens = context.budgetOf(model).budgetTokens * keep
  const tokensOf = (turn: Turn | undefined) =>
    turn ? legalMessages(turn).reduce((sum, placed) => sum + shaper.clipped(placed).tokens, 0) : 0

  let kept = turns.length - 1
  for (let tokens = tokensOf(turns[kept]); kept > 0; kept -= 1) {
    tokens += tokensOf(turns[kept - 1])
    if (tokens > keepTokens) break
  }
  const through = turns[kept - 1]?.endedAt
  if (kept < 1 || through === undefined) return undefined
  const replaced = turns.slice(0, kept)
  const keptMessages = turns.slice(kept).reduce((sum, { messages }) => sum + messages.length, 0)
  return {
    turns: replaced,
    earlier: compaction?.summary,
    tokens: replaced.reduce(
      (sum, turn) => sum + tokensOf(turn),
      context.measure.text(compaction?.summary ?? '', model),
    ),
    place: {
      through,
      after: compaction?.through ?? 0,
      turns: (compaction?.turns ?? 0) + forgottenTurns + kept,
      messages: conversation.messages - keptMessages,
      pins: [...pins].flatMap(([seq, message]) => (seq < through ? { seq, message } : [])),
    },
  }
}

/**
 * Whether it is time: so much is filled of what can be sent to every model that was lately asked, and a good part of that
 * would be won. What is too much for one model alone is left out for that one.
 */
export function isTimeToCompact(conversation: Conversation, context: ContextRules): boolean {
  const last = newestCall(conversation)
  if (!context.compactsByItself || !last || !areFull(conversation, context)) return false
  const { tokens = 0 } = compactable(conversation, context, context.compaction.keep) ?? {}
  return tokens >= LEAST_REPLACED * context.budgetOf(last.model).budgetTokens
}

/** Whether all models that were lately asked, but for one that is known to be, are filled as far as is let. */
export function areFull(conversation: Conversation, context: ContextRules, but?: string): boolean {
  const { turns, calls, compaction } = conversation
  const recent = turns.at(-RECENT_TURNS)?.messages[0]?.seq ?? 0
  return Array.from(calls.values()).every((call) => {
    if (call.model === but || call.seq < recent) return true
    return call.context.from > (compaction?.through ?? 0) && isFull(conversation, call, context)
  })
}

function isFull({ turns }: Conversation, call: MeasuredCall, { compaction, budgetOf, measure }: ContextRules): boolean {
  const { model, seq, context } = call
  const since = turns.at(-1)?.messages.filter((placed) => placed.seq >= seq) ?? []
  const sinceTokens = since.reduce((sum, { message }) => sum + measure.message(message, model), 0)
  const tokens = calibrate(measuredBy(call))(context.estimatedTokens + sinceTokens)
  return tokens >= compaction.at * budgetOf(model).budgetTokens
}
