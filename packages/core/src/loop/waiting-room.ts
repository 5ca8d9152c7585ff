import type { Place } from '../log/live-log.ts'
import type { RunEvent, RunOutcome, RunResult } from '../run-event.ts'

/** Somebody in this process who waits for something of one session. */
interface Waiting<Result> {
  readonly signal: AbortSignal
  readonly emit: (event: RunEvent) => void
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** Waits for an input to be answered. There may be several for one input. */
export interface Caller extends Waiting<RunResult> {
  /** The key of the input. */
  readonly input: string
  readonly place: Place
  /** It was accepted from this caller, or from one who has left; others only wait for the same key. */
  owns: boolean
}

/** Waits until nothing is open; is told of every run meanwhile. */
export interface Resumer extends Waiting<RunResult | undefined> {
  /** Waits for one run only, and not for a session that another process works in. */
  readonly once: boolean
  last: RunOutcome | undefined
}

export type Waiter = Caller | Resumer

/** All who wait for one session. Whoever is settled has left. */
export interface WaitingRoom {
  readonly callers: ReadonlySet<Caller>
  readonly resumers: ReadonlySet<Resumer>
  readonly empty: boolean
  callersOf(input: string): readonly Caller[]
  add(waiter: Waiter): void
  /** Whether they were still there. */
  remove(waiter: Waiter): boolean
  tellAll(event: RunEvent): void
  /** Tells each once, however often they have to wait. */
  tellWaiting(): void
  /** An input came out without a run. */
  settleCallers(inputs: ReadonlySet<string>, outcome: RunOutcome): void
  /** A run came out, and with it all of its inputs. */
  settle(inputs: ReadonlySet<string>, outcome: RunOutcome): void
  /** Nothing is open, or nothing that could be gone on with. */
  settleResumers(): void
  /** Another process works in the session, or nothing can be done in it for now. */
  dismissCasual(): void
  /** What cannot be done now is not waited for by those who only look in. */
  failCasual(error: unknown): void
  failAll(error: unknown): void
}

export function waitingRoom(): WaitingRoom {
  const callers = new Set<Caller>()
  const resumers = new Set<Resumer>()
  const told = new WeakSet<Waiter>()

  function settleCallers(inputs: ReadonlySet<string>, outcome: RunOutcome): void {
    for (const caller of [...callers]) {
      if (!inputs.has(caller.input)) continue
      callers.delete(caller)
      settleWith(caller, outcome)
    }
  }

  function settleResumer(resumer: Resumer): void {
    resumers.delete(resumer)
    if (resumer.last) settleWith(resumer, resumer.last)
    else resumer.resolve(undefined)
  }

  return {
    callers,
    resumers,
    get empty() {
      return callers.size === 0 && resumers.size === 0
    },
    callersOf: (input) => [...callers].filter((caller) => caller.input === input),
    add(waiter) {
      if (isCaller(waiter)) callers.add(waiter)
      else resumers.add(waiter)
    },
    remove: (waiter) => (isCaller(waiter) ? callers.delete(waiter) : resumers.delete(waiter)),
    tellAll(event) {
      for (const { emit } of [...callers, ...resumers]) emit(event)
    },
    tellWaiting() {
      for (const waiter of [...callers, ...resumers]) {
        if (told.has(waiter)) continue
        told.add(waiter)
        waiter.emit({ type: 'waiting' })
      }
    },
    settleCallers,
    settle(inputs, outcome) {
      settleCallers(inputs, outcome)
      for (const resumer of [...resumers]) {
        resumer.last = outcome
        if (resumer.once) settleResumer(resumer)
      }
    },
    settleResumers() {
      for (const resumer of [...resumers]) settleResumer(resumer)
    },
    dismissCasual() {
      for (const resumer of [...resumers]) if (resumer.once) settleResumer(resumer)
    },
    failCasual(error) {
      for (const resumer of [...resumers]) if (resumer.once && resumers.delete(resumer)) resumer.reject(error)
    },
    failAll(error) {
      for (const { reject } of [...callers, ...resumers]) reject(error)
      callers.clear()
      resumers.clear()
    },
  }
}

export function isCaller(waiter: Waiter): waiter is Caller {
  return 'input' in waiter
}

function settleWith({ resolve, reject }: Waiting<RunResult>, outcome: RunOutcome): void {
  if ('error' in outcome) reject(outcome.error)
  else resolve(outcome.result)
}
