import { isOrraError, type OrraError, toOrraError } from '../errors.ts'
import type { OpenRun } from '../log/conversation.ts'
import { leaseLost } from '../log/keep-lease.ts'
import type { UserMessage } from '../message.ts'
import type { InputEntry, RunEndedEntry } from '../store/entry.ts'
import { advance } from './advance.ts'
import type { RunOutcome, RunResult } from './event.ts'
import { callModel } from './model-call.ts'
import { withdrawn } from './recorded-result.ts'
import { beforeAppend, hookBase, lastWords, type RunScope } from './run-scope.ts'
import { abandonedResults, callTools } from './tool-call.ts'

/**
 * Takes an input from the inbox and opens its run. Returns how it came out when it never began: denied by a hook, failed
 * in one, or left by its caller in the meantime. Throws `store.input-gone` when the input was taken back, and why the
 * lease was lost.
 */
export async function startRun(scope: RunScope, entry: InputEntry): Promise<RunOutcome | undefined> {
  const { runId, log, lease, signal } = scope
  const input = entry.key
  try {
    const prepared = await prepareMessage(scope, entry.message)
    if ('denied' in prepared) return await withdraw(scope, input, prepared.denied)
    signal.throwIfAborted()
    const { message } = prepared
    await log.append(
      [
        { type: 'run-started', runId, input },
        { type: 'message', message, input },
      ],
      lease,
    )
    return undefined
  } catch (error) {
    if (lease.signal.aborted) throw lease.signal.reason
    if (isOrraError(error, 'store.input-gone')) throw error
    if (signal.aborted) return withdraw(scope, input)
    await log.withdraw([input])
    return { error: toOrraError(error, 'the start of a run') }
  }
}

async function prepareMessage(
  scope: RunScope,
  accepted: UserMessage,
): Promise<{ readonly message: UserMessage } | { readonly denied: string }> {
  const { hooks } = scope.services
  let message = accepted
  if (hooks.has('runStart')) {
    const outcome = await hooks.call('runStart', hookBase(scope), { message })
    if (outcome.denied !== undefined) return { denied: outcome.denied }
    message = outcome.event.message
  }
  return { message: await beforeAppend(hooks, hookBase(scope), message) }
}

async function withdraw({ log, emit }: RunScope, input: string, denial?: string): Promise<RunOutcome> {
  await log.withdraw([input], denial)
  const result = withdrawn(denial)
  emit({ type: 'run-end', ...result })
  return { result }
}

/**
 * Brings the open run to its end, from wherever the log says it is. Throws only why the lease was lost; the run then
 * stays open, for whoever claims the session next.
 */
export async function finishRun(scope: RunScope): Promise<RunOutcome> {
  const { services, log, lease, signal, runId, emit } = scope
  const { hooks } = services
  try {
    emit({ type: 'run-start', runId })
    if (hooks.has('sessionLoaded')) {
      await hooks.call('sessionLoaded', hookBase(scope), { messages: log.conversation.messages })
    }
    return { result: await work(scope) }
  } catch (error) {
    if (lease.signal.aborted) throw lease.signal.reason
    if (signal.aborted) return { result: await end(scope, 'aborted') }
    return { error: await endFailed(scope, toOrraError(error, 'a run')) }
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
      case 'join-run':
        await joinRun(scope, step.input)
        break
      case 'end-run':
        return end(scope, step.reason)
      default:
        throw new Error(`An open run cannot come to "${step.type}".`)
    }
  }
}

/** Lets an input join the open run, unless a hook denies or fails it, or it is taken back in the meantime. */
async function joinRun(scope: RunScope, input: string): Promise<void> {
  const { log, lease, signal, emit, inputJoined, inputSettled } = scope
  const entry = log.conversation.inbox.get(input)
  if (!entry) return
  using waiting = scope.untilWithdrawn(input)
  try {
    const prepared = await prepareMessage({ ...scope, signal: waiting.signal }, entry.message)
    if ('denied' in prepared) {
      await log.withdraw([input], prepared.denied)
      return inputSettled(input, { result: withdrawn(prepared.denied) })
    }
    waiting.signal.throwIfAborted()
    const { message } = prepared
    await log.append([{ type: 'message', message, input }], lease)
    inputJoined(input)
    emit({ type: 'input-joined', message })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (waiting.signal.aborted) return
    if (isOrraError(error, 'store.input-gone')) return log.catchUp()
    await log.withdraw([input])
    inputSettled(input, { error: toOrraError(error, 'a message that was to join a run') })
  }
}

async function end(scope: RunScope, reason: RunResult['reason'], denial?: string): Promise<RunResult> {
  const { runId, emit } = scope
  const run = openRunOf(scope)
  const { usage, text } = run
  const why = denial === undefined ? {} : { denial }
  await close(scope, run, { type: 'run-ended', runId, reason, usage, ...why })
  const result: RunResult = { runId, reason, text, usage, ...why }
  emit({ type: 'run-end', ...result })
  return result
}

async function endFailed(scope: RunScope, failure: OrraError): Promise<OrraError> {
  const { code, message } = failure
  const run = openRunOf(scope)
  const error = { code, message }
  await close(scope, run, { type: 'run-ended', runId: scope.runId, reason: 'error', usage: run.usage, error })
  return failure
}

async function close(scope: RunScope, run: OpenRun, ended: RunEndedEntry): Promise<void> {
  const { log, lease } = scope
  const { hooks } = scope.services
  await log.append([...abandonedResults(run.openCalls.values()), ended], lease)
  if (!hooks.has('runEnd')) return
  const { reason, usage } = ended
  // The log says that the run has ended; a hook cannot undo that.
  await lastWords(scope, (base) => hooks.call('runEnd', base, { reason, usage })).catch(() => {})
}

/** The run, unless somebody else has ended it: then the lease was lost, whether that was noticed or not. */
function openRunOf({ log, lease, runId }: RunScope): OpenRun {
  const { run } = log.conversation
  if (run?.runId === runId) return run
  const lost = leaseLost(log.namespace)
  lease.lose(lost)
  throw lost
}
