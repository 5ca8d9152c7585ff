import type { Turn } from '../log/conversation.ts'
import type { Message } from '../message.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { ModelLimits, ToolSpec } from '../provider.ts'
import { estimateTextTokens } from '../token-estimate.ts'

/** How much may be sent to the model. */
export interface ContextOptions {
  /** Input and output together, in tokens. @default what the provider knows of its model, else 128,000 */
  readonly windowTokens?: number
  /** Kept free for the reply, in tokens. @default what the provider knows of its model, at most a quarter of the window */
  readonly outputReserveTokens?: number
}

/** What was sent in one model call, what was not, and why. Token counts are estimates. */
export interface ContextReport {
  readonly windowTokens: number
  /** What instructions, tools and messages may take together: the window less the output reserve. */
  readonly budgetTokens: number
  readonly instructionTokens: number
  readonly toolTokens: number
  readonly messageTokens: number
  readonly sentTurns: number
  readonly sentMessages: number
  /** Oldest turns that no longer fit. They stay in the log. */
  readonly droppedTurns: number
  readonly droppedTokens: number
}

export interface ContextBudget {
  readonly windowTokens: number
  readonly budgetTokens: number
}

const DEFAULT_WINDOW_TOKENS = 128_000

const OPTIONS: OptionNames<ContextOptions> = { windowTokens: true, outputReserveTokens: true }

/** Throws `options.invalid`. */
export function contextBudget(options: ContextOptions = {}, limits?: ModelLimits): ContextBudget {
  checkOptions('"context"', options, OPTIONS)
  const windowTokens = options.windowTokens ?? limits?.contextWindow ?? DEFAULT_WINDOW_TOKENS
  const longestReply = limits?.maxOutputTokens ?? Number.POSITIVE_INFINITY
  const reserve = options.outputReserveTokens ?? Math.min(longestReply, Math.floor(windowTokens / 4))
  const budgetTokens = windowTokens - reserve
  if (windowTokens > 0 && reserve >= 0 && budgetTokens > 0) return { windowTokens, budgetTokens }
  throw invalidOption('context', 'windowTokens must be above outputReserveTokens, and neither below 0')
}

/** The estimated tokens of a request before any message is in it. */
export function fixedTokens(instructions: string | undefined, tools: readonly ToolSpec[]) {
  return {
    instructionTokens: instructions === undefined ? 0 : estimateTextTokens(instructions),
    toolTokens: tools.length === 0 ? 0 : estimateTextTokens(JSON.stringify(tools)),
  }
}

/**
 * The messages to send: the newest whole turns that fit, and always the newest one. A pure function of the log. The
 * cut moves in steps of a quarter of the budget rather than with every turn, so that what is sent keeps its beginning
 * from call to call and the provider's prompt cache holds. The work is that of what is sent.
 */
export function fitTurns(
  turns: readonly Turn[],
  budget: ContextBudget,
  fixed: { readonly instructionTokens: number; readonly toolTokens: number },
): { readonly messages: readonly Message[]; readonly report: ContextReport } {
  const room = Math.max(0, budget.budgetTokens - fixed.instructionTokens - fixed.toolTokens)
  const first = firstTurn(turns, room)
  const messages: Message[] = []
  for (let index = first; index < turns.length; index += 1) messages.push(...(turns[index] as Turn).messages)
  const droppedTokens = turns[first]?.offset ?? 0
  return {
    messages,
    report: {
      ...budget,
      ...fixed,
      messageTokens: totalTokens(turns) - droppedTokens,
      sentTurns: turns.length - first,
      sentMessages: messages.length,
      droppedTurns: first,
      droppedTokens,
    },
  }
}

/** The index of the oldest turn that is sent. */
function firstTurn(turns: readonly Turn[], room: number): number {
  const excess = totalTokens(turns) - room
  if (excess <= 0) return 0
  const step = Math.max(1, Math.floor(room / 4))
  const cut = Math.ceil(excess / step) * step
  let first = turns.length - 1
  while (first > 0 && (turns[first - 1] as Turn).offset >= cut) first -= 1
  return Math.max(0, first)
}

function totalTokens(turns: readonly Turn[]): number {
  const last = turns.at(-1)
  return last ? last.offset + last.tokens : 0
}
