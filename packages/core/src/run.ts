import { advance } from './advance.ts'
import type { Conversation, OpenRun } from './conversation.ts'
import type { Entry, RunEndReason } from './entry.ts'
import { isOrraError, type OrraError, toOrraError } from './errors.ts'
import type { RunResult } from './event.ts'
import { textOf } from './message.ts'
import { callModel } from './model-call.ts'
import { NO_USAGE } from './provider.ts'
import type { RunScope } from './run-scope.ts'
import { mustStayOpen } from './stay-open.ts'
import { abandonedResults, callTools } from './tool-call.ts'

/** How a run came out: with a result, or with a failure that the log knows of. */
export type RunOutcome = { readonly result: RunResult } | { readonly error: OrraError }

/**
 * Takes an input from the inbox and opens its run. Returns how it came out when it never began: denied by a hook, or
 * left by its caller in the meantime. Throws `store.input-gone` when the input was taken back.
 */
export async function startRun(scope: RunScope, input: number): Promise<RunOutcome | undefined> {
  const { services, namespace, runId, log, signal } = scope
  const { hooks } = services
  const entry = log.conversation.inbox.get(input)
  if (!entry) return undefined
  let { message } = entry
  if (hooks.has('runStart')) {
    try {
      const outcome = await hooks.call('runStart', { namespace, runId, signal }, { message })
      if (outcome.denied !== undefined) return withdraw(scope, input, { reason: 'denied', denial: outcome.denied })
      message = outcome.event.message
    } catch (error) {
      if (mustStayOpen(signal.reason)) throw signal.reason
      await log.withdraw(input)
      return { error: toOrraError(error, 'a runStart hook') }
    }
  }
  if (signal.aborted && !mustStayOpen(signal.reason)) return withdraw(scope, input, { reason: 'aborted' })
  signal.throwIfAborted()
  await log.append(
    [
      { type: 'run-started', runId, input },
      { type: 'message', message, input },
    ],
    scope,
  )
  return undefined
}

async function withdraw(
  scope: RunScope,
  input: number,
  why: Pick<RunResult, 'reason' | 'denial'>,
): Promise<RunOutcome> {
  await scope.log.withdraw(input)
  const result = { ...why, text: '', usage: NO_USAGE }
  scope.emit({ type: 'run-end', ...result })
  return { result }
}

/**
 * Brings the open run to its end, from wherever the log says it is. Throws only what keeps the end from being written:
 * a lost lease, a store that fails, a runtime that closes. The run then stays open, for whoever claims the session next.
 */
export async function finishRun(scope: RunScope): Promise<RunOutcome> {
  const { namespace, runId, signal } = scope
  const { hooks } = scope.services
  scope.emit({ type: 'run-start', runId: scope.runId })
  try {
    if (hooks.has('sessionLoaded'))
      await hooks.call(
        'sessionLoaded',
        { namespace, runId, signal },
        { messages: countMessages(scope.log.conversation) },
      )
    return { result: await work(scope) }
  } catch (thrown) {
    const error = scope.signal.aborted ? scope.signal.reason : thrown
    if (mustStayOpen(error)) throw error
    if (scope.signal.aborted) return { result: await end(scope, 'aborted') }
    if (isOrraError(error, 'gate.denied')) return { result: await end(scope, 'denied', error.message) }
    const failure = toOrraError(error, 'a run')
    await endFailed(scope, failure)
    return { error: failure }
  }
}

async function work(scope: RunScope): Promise<RunResult> {
  for (;;) {
    scope.signal.throwIfAborted()
    const run = openRunOf(scope)
    const step = advance(scope.log.conversation)
    switch (step.type) {
      case 'call-model': {
        const refused = await callModel(scope, run)
        if (refused) return end(scope, 'denied', refused.denied)
        break
      }
      case 'call-tools':
        await callTools(scope, run, step.calls)
        break
      case 'end-run':
        return end(scope, step.reason)
      default:
        throw new Error(`An open run cannot come to "${step.type}".`)
    }
  }
}

async function end(scope: RunScope, reason: Exclude<RunEndReason, 'error'>, denial?: string): Promise<RunResult> {
  const { runId, emit } = scope
  const run = openRunOf(scope)
  const { usage } = run
  const result: RunResult = {
    runId,
    reason,
    text: run.reply ? textOf(run.reply.message) : '',
    usage,
    ...(denial === undefined ? {} : { denial }),
  }
  const error = denial === undefined ? {} : { error: { code: 'gate.denied', message: denial } }
  await close(scope, run, { type: 'run-ended', runId, reason, usage, ...error })
  emit({ type: 'run-end', ...result })
  return result
}

async function endFailed(scope: RunScope, { code, message }: OrraError): Promise<void> {
  const run = openRunOf(scope)
  await close(scope, run, {
    type: 'run-ended',
    runId: scope.runId,
    reason: 'error',
    usage: run.usage,
    error: { code, message },
  })
}

async function close(scope: RunScope, run: OpenRun, ended: Extract<Entry, { type: 'run-ended' }>): Promise<void> {
  const { log, namespace, runId, signal, services } = scope
  await log.append([...abandonedResults(run.openCalls.values()), ended], scope)
  if (!services.hooks.has('runEnd')) return
  const { reason, usage } = ended
  // The log says that the run has ended; a hook cannot undo that.
  await services.hooks.call('runEnd', { namespace, runId, signal }, { reason, usage }).catch(() => {})
}

function countMessages({ turns }: Conversation): number {
  return turns.reduce((sum, turn) => sum + turn.messages.length, 0)
}

function openRunOf({ log, runId }: RunScope): OpenRun {
  const { run } = log.conversation
  if (run?.runId !== runId) throw new Error('The run is no longer open.')
  return run
}
