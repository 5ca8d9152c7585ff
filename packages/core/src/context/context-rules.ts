import { type RecentlyUsed, recentlyUsed } from '../gate/recently-used.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { Provider } from '../provider.ts'
import { type ClipResults, type Compact, type ContextStrategy, DEFAULT_STRATEGIES } from './context-strategy.ts'
import { estimateTextTokens } from './estimate-text.ts'
import { createMeasure, type Measure } from './measure.ts'
import { createShaper, type Shaper } from './shape-message.ts'
import { SUMMARY_INSTRUCTIONS } from './summary-request.ts'
import type { RequestCounter, TokenCounter } from './token-counter.ts'

/** How much may be sent to the model, and what is done as a conversation outgrows that. */
export interface ContextOptions {
  /** Input and output together, in tokens; or what it is for which model. @default what the provider knows of its model, else 128,000 */
  readonly windowTokens?: number | ((model: string) => number | undefined)
  /** Kept free for the reply, in tokens. @default what the provider knows of its model, at most a quarter of the window */
  readonly outputReserveTokens?: number
  /** What is done when not all fits, in this order. @default clip results, drop results, compact, drop turns */
  readonly strategies?: readonly ContextStrategy[]
  /** Counts exactly, for models whose tokens are known. @default an estimate by script and kind of text */
  readonly counter?: TokenCounter
  /** Asked about a whole request where the estimate says that it may be too long. @default nobody is */
  readonly requestCounter?: RequestCounter
}

/** How much may be sent to one model. */
export interface ContextBudget {
  readonly windowTokens: number
  /** What instructions, tools and messages may take together: the window less the output reserve. */
  readonly budgetTokens: number
}

/** The options, checked and ready. */
export interface ContextRules {
  readonly measure: Measure
  readonly strategies: readonly ContextStrategy[]
  /** How it is compacted, by itself or when that is asked for. */
  readonly compaction: Required<Omit<Compact, 'type'>>
  readonly compactsByItself: boolean
  readonly requestCounter: RequestCounter | undefined
  budgetOf(model: string): ContextBudget
  /** The most of one tool result, where it is clipped, and of one page of it. */
  maxResultTokens(model: string): number
  shaper(model: string, canRead: boolean): Shaper
}

/** A clipped result is to hold more than the note of what is missing. */
const LEAST_RESULT_TOKENS = 100

const DEFAULT_WINDOW_TOKENS = 128_000
/** Names of models are anybody's: for no more of them anything is kept. */
const MOST_KEPT = 100
/** How much of the budget one tool result may take, within these bounds in tokens. */
const RESULT_SHARE = 0.1
const RESULT_TOKENS = { least: 1000, most: 20_000 }

const DEFAULT_COMPACTION = { at: 0.8, keep: 0.25, instructions: SUMMARY_INSTRUCTIONS }

const OPTIONS: OptionNames<ContextOptions> = {
  windowTokens: true,
  outputReserveTokens: true,
  strategies: true,
  counter: true,
  requestCounter: true,
}

const STRATEGIES: {
  readonly [Type in ContextStrategy['type']]: OptionNames<Extract<ContextStrategy, { type: Type }>>
} = {
  'clip-results': { type: true, maxTokens: true },
  'drop-results': { type: true },
  compact: { type: true, model: true, at: true, keep: true, instructions: true },
  'drop-turns': { type: true },
}

/** Throws `options.invalid`. */
export function contextRules(
  options: ContextOptions = {},
  provider: Pick<Provider, 'model' | 'limits' | 'mediaTokens'>,
): ContextRules {
  checkOptions('"context"', options, OPTIONS)
  const { strategies = DEFAULT_STRATEGIES, counter = { countText: estimateTextTokens }, requestCounter } = options
  checkStrategies(strategies)
  if (typeof counter?.countText !== 'function') throw invalid('counter must have a method countText')
  if (requestCounter !== undefined && typeof requestCounter?.countRequest !== 'function')
    throw invalid('requestCounter must have a method countRequest')
  const measure = createMeasure(counter, provider)
  const clip = strategies.find((strategy): strategy is ClipResults => strategy.type === 'clip-results')
  const compact = strategies.find((strategy): strategy is Compact => strategy.type === 'compact')
  const budgets = recentlyUsed<ContextBudget>(MOST_KEPT)
  const shapers = recentlyUsed<Shaper>(MOST_KEPT)

  /** What a provider knows of its model may change, where it stands for others. */
  function budgetOf(model: string): ContextBudget {
    const { contextWindow, maxOutputTokens } = provider.limits ?? {}
    return kept(budgets, `${contextWindow} ${maxOutputTokens} ${model}`, () => contextBudget(options, provider, model))
  }

  budgetOf(provider.model)

  function maxResultTokens(model: string): number {
    const share = Math.floor(budgetOf(model).budgetTokens * RESULT_SHARE)
    return clip?.maxTokens ?? Math.min(RESULT_TOKENS.most, Math.max(RESULT_TOKENS.least, share))
  }

  return {
    ...{ measure, strategies, requestCounter, budgetOf, maxResultTokens },
    get compaction() {
      return { model: provider.model, ...DEFAULT_COMPACTION, ...compact }
    },
    compactsByItself: compact !== undefined,
    shaper(model, canRead) {
      const most = clip && maxResultTokens(model)
      return kept(shapers, `${canRead} ${most} ${model}`, () =>
        createShaper({ measure, model, canRead, maxResultTokens: most }),
      )
    },
  }
}

function contextBudget(
  { windowTokens, outputReserveTokens }: ContextOptions,
  { model: own, limits }: Pick<Provider, 'model' | 'limits'>,
  model: string,
): ContextBudget {
  const given = typeof windowTokens === 'function' ? windowTokens(model) : windowTokens
  const window = given ?? limits?.contextWindow ?? DEFAULT_WINDOW_TOKENS
  const longestReply = limits?.maxOutputTokens ?? Number.POSITIVE_INFINITY
  const reserve = outputReserveTokens ?? Math.min(longestReply, Math.floor(window / 4))
  const budgetTokens = Math.floor(window - reserve)
  if (window > 0 && reserve >= 0 && budgetTokens > 0) return { windowTokens: window, budgetTokens }
  const which = model === own ? '' : ` for the model "${model}"`
  throw invalid(`windowTokens must be above outputReserveTokens${which}, and neither below 0`)
}

function checkStrategies(strategies: readonly ContextStrategy[]): void {
  if (!Array.isArray(strategies)) throw invalid('strategies must be a list')
  for (const strategy of strategies as readonly ContextStrategy[]) {
    const { type } = strategy ?? {}
    if (typeof type !== 'string' || !Object.hasOwn(STRATEGIES, type)) {
      throw invalid(`a strategy is one of ${Object.keys(STRATEGIES).join(', ')}`)
    }
    checkOptions(`the strategy "${type}"`, strategy, STRATEGIES[type] as OptionNames<ContextStrategy>)
  }
  const types = strategies.map(({ type }) => type)
  if (new Set(types).size < types.length) throw invalid('a strategy is there twice')
  for (const strategy of strategies) {
    if (strategy.type === 'clip-results' && !isAtLeast(strategy.maxTokens, LEAST_RESULT_TOKENS)) {
      throw invalid(`maxTokens must be ${LEAST_RESULT_TOKENS} or more`)
    }
    if (strategy.type !== 'compact') continue
    const { at, keep, model, instructions } = { ...DEFAULT_COMPACTION, model: undefined, ...strategy }
    if (!(keep >= 0 && keep < at && at <= 1)) throw invalid('"keep" and "at" are parts of 1, and "keep" is the smaller')
    for (const text of [model, instructions]) {
      if (text !== undefined && (typeof text !== 'string' || text === ''))
        throw invalid('model and instructions are text')
    }
  }
}

function isAtLeast(value: number | undefined, least: number): boolean {
  return value === undefined || value >= least
}

function invalid(problem: string) {
  return invalidOption('context', problem)
}

function kept<V>(values: RecentlyUsed<V>, key: string, make: () => V): V {
  const made = values.get(key) ?? make()
  values.set(key, made)
  return made
}
