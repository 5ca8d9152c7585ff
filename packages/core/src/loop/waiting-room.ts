import type { Place } from '../log/live-log.ts'
import type { RunEvent, RunResult } from './event.ts'
import type { RunOutcome } from './run.ts'

/** Somebody in this process who waits for something of one session. */
interface Waiter<Result> {
  readonly signal: AbortSignal
  readonly emit: (event: RunEvent) => void
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** Waits for an input to be answered. */
export interface Caller extends Waiter<RunResult> {
  /** The key of the input. */
  readonly input: string
  readonly place: Place
}

/** Waits until nothing is open; is told of every run that has no caller of its own. */
export interface Resumer extends Waiter<RunResult | undefined> {
  last: RunOutcome | undefined
}

/** All who wait for one session. Whoever is settled has left. */
export interface WaitingRoom {
  readonly callers: ReadonlyMap<string, Caller>
  readonly resumers: ReadonlySet<Resumer>
  readonly empty: boolean
  addCaller(caller: Caller): void
  addResumer(resumer: Resumer): void
  /** Whether they were still there. */
  remove(waiter: Caller | Resumer): boolean
  tellAll(event: RunEvent): void
  /** An input was answered here. */
  settle(input: string, outcome: RunOutcome): void
  /** Nothing is open. */
  settleResumers(): void
  failAll(error: unknown): void
}

export function waitingRoom(): WaitingRoom {
  const callers = new Map<string, Caller>()
  const resumers = new Set<Resumer>()

  return {
    callers,
    resumers,
    get empty() {
      return callers.size === 0 && resumers.size === 0
    },
    addCaller: (caller) => void callers.set(caller.input, caller),
    addResumer: (resumer) => void resumers.add(resumer),
    remove: (waiter) => ('input' in waiter ? callers.delete(waiter.input) : resumers.delete(waiter)),
    tellAll(event) {
      for (const { emit } of [...callers.values(), ...resumers]) emit(event)
    },
    settle(input, outcome) {
      const caller = callers.get(input)
      callers.delete(input)
      if (caller) settleWith(caller, outcome)
      for (const resumer of resumers) resumer.last = outcome
    },
    settleResumers() {
      for (const resumer of resumers) {
        if (resumer.last) settleWith(resumer, resumer.last)
        else resumer.resolve(undefined)
      }
      resumers.clear()
    },
    failAll(error) {
      for (const { reject } of [...callers.values(), ...resumers]) reject(error)
      callers.clear()
      resumers.clear()
    },
  }
}

function settleWith({ resolve, reject }: Waiter<RunResult>, outcome: RunOutcome): void {
  if ('error' in outcome) reject(outcome.error)
  else resolve(outcome.result)
}
