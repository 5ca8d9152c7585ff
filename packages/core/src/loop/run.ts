import { areWaiting } from '../approval/callers.ts'
import { forgetRequest } from '../approval/waiting-list.ts'
import { isOrraError, type OrraError, toOrraError } from '../errors.ts'
import type { HeldLimit } from '../gate/limits.ts'
import type { OpenRun } from '../log/conversation.ts'
import { leaseLost } from '../log/keep-lease.ts'
import type { UserMessage } from '../message.ts'
import type { RunOutcome, RunResult } from '../run-event.ts'
import type { InputEntry, RunEndedEntry, RunEndReason } from '../store/entry.ts'
import { advance, type RunLimits } from './advance.ts'
import { isAnswer } from './ask-again.ts'
import { billLost, billRun, countBegun } from './bill-run.ts'
import { callersOf, wake } from './caller.ts'
import { callModel } from './model-call.ts'
import { withdrawn } from './recorded-result.ts'
import { startRunClock } from './run-clock.ts'
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
  try {
    return await workToTheEnd(scope)
  } catch (error) {
    await billLost(scope)
    throw error
  }
}

async function workToTheEnd(scope: RunScope): Promise<RunOutcome> {
  const { services, log, lease, signal, runId, emit } = scope
  const { hooks } = services
  try {
    emit({ type: 'run-start', runId })
    if (hooks.has('sessionLoaded')) {
      await hooks.call('sessionLoaded', hookBase(scope), { messages: log.conversation.messages })
    }
    return { result: await workInTime(scope) }
  } catch (error) {
    if (lease.signal.aborted) throw lease.signal.reason
    if (signal.aborted) return { result: await end(scope, 'aborted') }
    return { error: await endFailed(scope, toOrraError(error, 'a run')) }
  }
}

/** Ends the run once it has worked for as long as a policy lets it. */
async function workInTime(scope: RunScope): Promise<RunResult> {
  const { services, namespace, signal } = scope
  const limit = (await services.gate.at(namespace, signal)).limit('runTimeMs')
  if (!limit) return work(scope)
  using clock = startRunClock(limit.value, signal)
  try {
    return await work({ ...scope, signal: clock.signal, rest: clock.rest })
  } catch (error) {
    if (!clock.isOver || scope.lease.signal.aborted) throw error
    return end(scope, 'limit', `A run may work for ${limit.value} ms here. The policy is ${limit.rule}.`)
  }
}

async function work(scope: RunScope): Promise<RunResult> {
  const { services, namespace, log, signal } = scope
  for (;;) {
    signal.throwIfAborted()
    const run = openRunOf(scope)
    const lineage = callersOf(namespace, run)
    if (lineage && !(await areWaiting(services.store, lineage, { signal }))) return end(scope, 'aborted')
    const rules = await services.gate.at(namespace, signal)
    const toolCalls = rules.limit('toolCallsPerRun')
    const step = advance(log.conversation, limitsOf(rules.limit('maxTurns'), toolCalls))
    switch (step.type) {
      case 'call-model': {
        const not = await callModel(scope, run, rules)
        if (not) return end(scope, not.reason, not.denial)
        break
      }
      case 'call-tools': {
        const seen = log.conversation.length
        await callTools(scope, run, step.calls)
        if (run.openCalls.size > 0 && (await suspend(scope, run, seen))) return suspended(scope, run)
        break
      }
      case 'check-answer':
        if (await isAnswer(scope, run, step.mayAskAgain)) return end(scope, 'completed')
        break
      case 'join-run':
        await joinRun(scope, step.input)
        break
      case 'end-run':
        return end(scope, step.reason, step.reason === 'limit' ? tooManyCalls(toolCalls) : undefined)
      default:
        throw new Error(`An open run cannot come to "${step.type}".`)
    }
  }
}

function limitsOf(maxTurns: HeldLimit | undefined, toolCalls: HeldLimit | undefined): RunLimits {
  return {
    ...(maxTurns ? { maxTurns: maxTurns.value } : {}),
    ...(toolCalls ? { toolCalls: toolCalls.value } : {}),
  }
}

function tooManyCalls(limit: HeldLimit | undefined): string | undefined {
  return limit && `A run may call tools ${limit.value} times here. The policy is ${limit.rule}.`
}

/** Writes that all open calls wait, unless what one waits for has come since. Whether it did. */
async function suspend(scope: RunScope, run: OpenRun, seen: number): Promise<boolean> {
  const { log, lease, runId } = scope
  if (!run.suspended) {
    await billRun(scope, run)
    await log.append([{ type: 'run-suspended', runId, seen }], lease)
  }
  return run.suspended
}

/** The run is not at its end. */
function suspended({ runId, emit }: RunScope, { text, usage, openCalls }: OpenRun): RunResult {
  const waiting = [...openCalls.values()].filter(({ decision }) => !decision)
  const approvals = waiting.flatMap(({ request }) => request ?? [])
  const result: RunResult = { runId, reason: 'suspended', text, usage, approvals }
  emit({ type: 'run-end', ...result })
  return result
}

/** Lets an input join the open run, unless a hook denies or fails it, or it is taken back in the meantime. */
async function joinRun(scope: RunScope, input: string): Promise<void> {
  const { log, lease, signal, emit, inputJoined, inputSettled } = scope
  const entry = log.conversation.inbox.get(input)
  if (!entry) return
  using waiting = scope.untilWithdrawn(input, signal)
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

async function end(scope: RunScope, reason: Exclude<RunEndReason, 'error'>, denial?: string): Promise<RunResult> {
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
  const { services, log, lease } = scope
  const { hooks } = services
  const caller = callersOf(scope.namespace, run)?.callers.at(-1)
  // Before the end is written, so that neither a bill nor whoever waits can miss it; both may be told twice.
  await billRun(scope, run)
  for (const open of run.openCalls.values()) await countBegun(scope, open, lease.signal).catch(() => {})
  if (caller && run.wasSuspended) await wake(services, [caller], lease.signal)
  const waiting = [...run.openCalls.values()].flatMap(({ request }) => request ?? [])
  await log.append([...abandonedResults(run.openCalls.values()), ended], lease)
  if (services.approvals.suspend) for (const request of waiting) await forgetRequest(services.store, request)
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
