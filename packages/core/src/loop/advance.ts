import type { Conversation, OpenCall } from '../log/conversation.ts'
import type { StopReason } from '../provider.ts'

/** The model calls of one run, unless its settings say otherwise. */
const DEFAULT_MAX_TURNS = 32

/** What policies allow a run, where they say something. */
export interface RunLimits {
  readonly maxTurns?: number
  readonly toolCalls?: number
}

/** What a session needs next. */
export type Step =
  /** Nothing, until somebody says something. */
  | { readonly type: 'rest' }
  /** Begin the run of the input with this key. */
  | { readonly type: 'start-run'; readonly input: string }
  | { readonly type: 'call-model' }
  /** Give each of these its result. */
  | { readonly type: 'call-tools'; readonly calls: readonly OpenCall[] }
  /** See whether the answer is what the run's `output` describes; if not, the model may or may not be asked once more. */
  | { readonly type: 'check-answer'; readonly mayAskAgain: boolean }
  /** A message joins the run. */
  | { readonly type: 'join-run'; readonly input: string }
  | {
      readonly type: 'end-run'
      readonly reason: 'completed' | 'length' | 'refused' | 'max-turns' | 'limit' | 'aborted'
    }

/**
 * The whole program of an agent: reads where the log has come to and says what comes next. It keeps nothing, so that
 * beginning, going on after a crash and going on elsewhere are the same thing.
 */
export function advance({ run, inbox }: Conversation, limits: RunLimits = {}): Step {
  if (!run) {
    const [input] = inbox.keys()
    return input === undefined ? { type: 'rest' } : { type: 'start-run', input }
  }
  if (run.withdrawn) return { type: 'end-run', reason: 'aborted' }
  if (run.toolCalls > (limits.toolCalls ?? Number.POSITIVE_INFINITY)) return { type: 'end-run', reason: 'limit' }
  if (run.openCalls.size > 0) return { type: 'call-tools', calls: [...run.openCalls.values()] }
  const { maxTurns = DEFAULT_MAX_TURNS } = run.settings
  const isLast = run.modelCalls >= Math.min(maxTurns, limits.maxTurns ?? maxTurns)
  const steering = isLast
    ? undefined
    : [...inbox.values()].find(({ whenBusy, settings }) => whenBusy === 'steer' && !settings)
  if (steering) return { type: 'join-run', input: steering.key }
  if (run.settings.output && run.stopped && endOf(run.stopped) === 'completed') {
    return { type: 'check-answer', mayAskAgain: !isLast && !run.askedAgain }
  }
  if (run.stopped) return { type: 'end-run', reason: endOf(run.stopped) }
  if (isLast) return { type: 'end-run', reason: 'max-turns' }
  return { type: 'call-model' }
}

function endOf(stopReason: StopReason) {
  return stopReason === 'length' || stopReason === 'refused' ? stopReason : 'completed'
}
