import { randomUUID } from 'node:crypto'
import { linkAbort } from '../abort.ts'
import { openUsageBook } from '../budget/usage-book.ts'
import { isOrraError, toOrraError } from '../errors.ts'
import { type KeptLease, leaseLost } from '../log/keep-lease.ts'
import type { LiveLog } from '../log/live-log.ts'
import type { Namespace } from '../namespace.ts'
import type { RunEvent, RunOutcome } from '../run-event.ts'
import type { SessionHead } from '../store/session-head.ts'
import { policyUnreachable } from './admit-input.ts'
import { advance, type Step } from './advance.ts'
import { type Audience, openAudience } from './audience.ts'
import { callersOf } from './caller.ts'
import type { Compactor } from './compactor.ts'
import { NO_PLACE } from './crowd.ts'
import type { Heed } from './heed-others.ts'
import { recordedResult, sessionDeleted } from './recorded-result.ts'
import { finishRun, startRun } from './run.ts'
import type { RunChild, RunScope, Services } from './run-scope.ts'
import { tookTooLong } from './summarise.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** How long a run waits for a summary before it goes on without, in milliseconds. */
const LONGEST_SUMMARY_MS = 30_000

const NO_REST: Disposable = { [Symbol.dispose]() {} }

/** Why nothing can be done in a session for now, although somebody waits. */
export type Rest =
  /** Its run waits until somebody decides. */
  | 'suspended'
  /** Others have all the places among runs. */
  | 'crowded'
  /** Nobody knows what is allowed. */
  | 'unreachable'

/** The work in one session, for those who wait in its room. */
export interface InboxWork {
  /** Under its lease, answers what there is to answer. Returns why it cannot go on with what is left, when it cannot. */
  drain(lease: KeptLease, head: SessionHead): Promise<Rest | undefined>
  /** Callers whose input somebody else has answered get what the log says. */
  settleAnswered(): Promise<void>
}

export interface Workplace {
  readonly namespace: Namespace
  readonly services: Services
  readonly log: LiveLog
  readonly room: WaitingRoom
  readonly heed: Heed
  readonly compactor: Compactor
  readonly runChild: RunChild
  /** For those who watch. */
  tell(event: RunEvent): void
  /** There may be a place among runs now. Whether anybody here will look for it. */
  lookForPlace(): boolean
}

export function openInboxWork(workplace: Workplace): InboxWork {
  const { namespace, services, log, room, heed, compactor, runChild, tell, lookForPlace } = workplace
  const { provider, prices, store } = services
  const usage = openUsageBook(namespace, store.records, {
    get provider() {
      return provider.name
    },
    prices,
  })

  /** A place among the runs that policies let work at the same time. A sub-agent works in that of a caller who waits for it. */
  async function placeFor(step: Step, { signal }: KeptLease): Promise<AsyncDisposable | Rest> {
    const { run, inbox } = log.conversation
    const input = run?.input ?? (step.type === 'start-run' ? step.input : '')
    // Its caller is at work and waits for it here.
    if (callersOf(namespace, run ?? inbox.get(input)) && room.callersOf(input).length > 0) return NO_PLACE
    const rules = await services.gate.at(namespace, signal)
    // A run that is open goes on, and is denied what it asks for; what was accepted can wait.
    if (!run && rules.unreachable !== undefined) {
      room.failCasual(policyUnreachable(namespace, rules.cause))
      return 'unreachable'
    }
    return (await services.crowd.enter(namespace, rules, signal, lookForPlace)) ?? 'crowded'
  }

  /** At rest, whoever is still here has an input that is not folded in yet; or it was deleted, and the lease with it. */
  async function catchUpWithCallers(): Promise<void> {
    await log.catchUp()
    const { length } = log.conversation
    if ([...room.callers].some(({ place }) => place.seq > length)) throw leaseLost(namespace)
  }

  async function settleAnswered(): Promise<void> {
    for (const caller of [...room.callers]) {
      const { input, place, emit, resolve, reject } = caller
      const { inbox, run, length } = log.conversation
      if (place.sessionId !== log.sessionId) {
        room.remove(caller)
        reject(sessionDeleted(namespace))
      } else if (place.seq <= length && !inbox.has(input) && !run?.inputs.has(input)) {
        room.remove(caller)
        await recordedResult(store.sessions, namespace, input, place.seq, emit).then(resolve, reject)
      }
    }
  }

  /** Begins the run of the oldest input. Only its own callers can take it back while it begins. */
  async function startNext(lease: KeptLease, input: string): Promise<void> {
    const entry = log.conversation.inbox.get(input)
    if (!entry) return
    using those = openAudience(room.callersOf(input), new Set([input]), lease.signal)
    using _ = heed.attend(those, input)
    try {
      const refused = await startRun(scopeOf(randomUUID(), lease, those), entry)
      if (refused) room.settle(new Set([input]), refused)
    } catch (error) {
      // Somebody took it back at the same moment.
      if (!isOrraError(error, 'store.input-gone')) throw error
      await log.catchUp()
    }
  }

  /** Brings the open run to its end, for its callers and whoever resumes. */
  async function finishOpen(lease: KeptLease): Promise<void> {
    const { run } = log.conversation
    if (!run) return
    const callers = [...run.inputs].flatMap(room.callersOf)
    const resumers = [...room.resumers].filter(({ signal, once }) => !signal.aborted && !(once && callers.length > 0))
    using those = openAudience([...callers, ...resumers], run.inputs, lease.signal)
    using _ = heed.attend(those)
    room.settle(run.inputs, await finishRun(scopeOf(run.runId, lease, those)))
  }

  function scopeOf(runId: string, lease: KeptLease, those: Audience): RunScope {
    const emit = (event: RunEvent) => {
      those.emit(event)
      tell(event)
    }
    const inputJoined = (input: string) => room.callersOf(input).forEach(those.join)
    const { signal } = those
    return {
      ...{ services, namespace, runId, log, lease, signal, usage, runChild },
      ...{ emit, inputJoined, inputSettled },
      compact: (until) => compactFor(until, emit),
      untilWithdrawn: heed.untilWithdrawn,
      untilDecided: heed.untilDecided,
      rest: () => NO_REST,
    }
  }

  /** What fails, or takes long, leaves the run where it was; a summary that takes long goes on by itself. */
  async function compactFor(signal: AbortSignal, emit: (event: RunEvent) => void): Promise<boolean> {
    using patience = linkAbort(signal)
    const timer = setTimeout(() => patience.abort(tookTooLong(namespace)), LONGEST_SUMMARY_MS)
    try {
      const compaction = await compactor.compact(patience.signal)
      if (compaction) emit({ type: 'compaction', turns: compaction.turns, summary: compaction.summary })
      return compaction !== undefined
    } catch (error) {
      signal.throwIfAborted()
      emit({ type: 'compaction-failed', error: toOrraError(error, 'a compaction') })
      return false
    } finally {
      clearTimeout(timer)
    }
  }

  function inputSettled(input: string, outcome: RunOutcome): void {
    if ('result' in outcome) {
      for (const { emit } of room.callersOf(input)) emit({ type: 'run-end', ...outcome.result })
    }
    room.settleCallers(new Set([input]), outcome)
  }

  return {
    settleAnswered,

    async drain(lease, head) {
      await log.catchUp(head)
      while (!room.empty) {
        lease.signal.throwIfAborted()
        await settleAnswered()
        const step = advance(log.conversation)
        if (step.type === 'rest') {
          room.settleResumers()
          if (!room.empty) await catchUpWithCallers()
          continue
        }
        const place = await placeFor(step, lease)
        if (typeof place === 'string') {
          room.dismissCasual()
          return place
        }
        await using _ = place
        if (step.type === 'start-run') await startNext(lease, step.input)
        if (log.conversation.run) await finishOpen(lease)
        if (!log.conversation.run) compactor.consider()
        if (log.conversation.run?.suspended) {
          room.settleResumers()
          return 'suspended'
        }
      }
      return undefined
    },
  }
}
