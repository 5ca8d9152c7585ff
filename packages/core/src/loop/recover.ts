import { linkAbort, pause } from '../abort.ts'
import { isOrraError } from '../errors.ts'
import { Namespace } from '../namespace.ts'
import type { SessionLog } from '../store/session-log.ts'
import type { Crowd } from './crowd.ts'

export interface RecoverOptions {
  /** Takes up nothing more once it aborts, and resolves when what was taken up is finished. @default never, until the runtime closes */
  readonly signal?: AbortSignal | undefined
  /** Only this namespace and what lies below it. @default all */
  readonly within?: Namespace
  /** How many sessions are worked on at the same time. @default 8 */
  readonly maxParallel?: number
  /** How often the store is asked for work while there is none, in milliseconds. @default 1000 */
  readonly pollMs?: number
  /**
   * Resolve as soon as there is no work that can be done: what policies that cannot be had keep from being begun is told to
   * `onError`, and a run whose process died less than `leaseTtlMs` ago is still that one's. @default false: go on until the
   * signal aborts
   */
  readonly untilIdle?: boolean
  /** Told when the store cannot be asked, which is tried again, and what made a run fail, with whose it was. */
  readonly onError?: ((error: unknown, namespace?: Namespace) => void) | undefined
}

/** What a round of recovering needs. */
export interface RecoverScope {
  readonly sessions: SessionLog
  /** Refuses what nobody has approved in time, so that its run goes on. */
  readonly refuseExpired: (signal: AbortSignal, failed: (error: unknown) => void) => Promise<void>
  /** Brings one open run, or one waiting input, of a session to its end. */
  readonly resumeOnce: (namespace: Namespace) => Promise<unknown>
  /** Where sessions stand that had no place among runs. */
  readonly crowd: Pick<Crowd, 'ahead' | 'attend'>
  readonly closing: AbortSignal
  /** Aborted, and then made anew, whenever this process has accepted something. */
  readonly submitted: () => AbortSignal
}

const LONGEST_PAUSE_MS = 30_000
const FORGET_MS = 60_000
/** How often it looks for approvals that nobody gave in time, at most. */
const EXPIRY_MS = 15_000

/** How long a session is left to its line before it is looked at all the same. */
const IN_LINE_MS = 5_000
/** Nothing is kept of those who come to a longer line. */
const LONGEST_LINE = 100

interface Patience {
  readonly delayMs: number
  readonly until: number
  /** It stands in line, and is taken up as soon as it is its turn. */
  readonly isInLine: boolean
}

/**
 * Does the work that nobody does: inputs that were submitted, and what dead processes left open. Fair: sessions have their
 * turns in the order of their keys, round and round, one run a turn, so that one with much to do holds up no other.
 */
export async function recover(scope: RecoverScope, options: RecoverOptions): Promise<void> {
  const { sessions, refuseExpired, resumeOnce, crowd, closing, submitted } = scope
  const { within, maxParallel = 8, pollMs = 1000, untilIdle = false, onError } = options
  using stop = linkAbort(options.signal, closing)
  const working = new Map<string, Promise<void>>()
  /** Sessions that are left alone for a while. */
  const patience = new Map<string, Patience>()
  /** Sessions in which nothing can be done as long as their policies cannot be had. */
  const stuck = new Set<string>()
  let isAllStuck = true
  /** Whose turn has come while they were being looked at. */
  const again = new Set<string>()
  let ended = new AbortController()
  let failures = 0
  let after: string | undefined
  let expiredAt = Number.NEGATIVE_INFINITY

  const tell = (error: unknown, namespace?: Namespace) => {
    try {
      if (!closing.aborted) onError?.(error, namespace)
    } catch {
      // Whoever is told may fail; the work goes on.
    }
  }
  const work = async (key: string) => {
    const namespace = Namespace.parse(key)
    stuck.delete(key)
    const begun = await resumeOnce(namespace).catch((error: unknown) => {
      tell(error, namespace)
      if (isOrraError(error, 'policy.unreachable')) stuck.add(key)
      return undefined
    })
    working.delete(key)
    const isNext = again.delete(key)
    const ahead = crowd.ahead(namespace) ?? Number.POSITIVE_INFINITY
    if (begun) patience.delete(key)
    else if (ahead < LONGEST_LINE) patience.set(key, inLine())
    // Whatever it is that fails, or that others have done first, it may need a moment, and then more of them.
    else patience.set(key, waitFor(patience.get(key)))
    if (isNext) takeTurn(key)
    ended.abort()
  }
  const inLine = (): Patience => ({ delayMs: pollMs / 2, until: performance.now() + IN_LINE_MS, isInLine: true })
  const waitFor = ({ delayMs }: Pick<Patience, 'delayMs'> = { delayMs: pollMs / 2 }): Patience => {
    const longer = Math.min(delayMs * 2, LONGEST_PAUSE_MS)
    return { delayMs: longer, until: performance.now() + longer, isInLine: false }
  }
  /** One that there is no room for now is taken up in its turn among all. */
  const takeTurn = (key: string): boolean | undefined => {
    if (stop.signal.aborted) return undefined
    if (working.has(key)) {
      again.add(key)
      return true
    }
    const waits = patience.get(key)
    if (!waits?.isInLine) return undefined
    if (working.size >= maxParallel) {
      patience.set(key, { ...waits, until: performance.now() })
      return false
    }
    working.set(key, work(key))
    return true
  }
  using _ = crowd.attend(takeTurn)
  const isDue = (key: string) => (patience.get(key)?.until ?? 0) <= performance.now()

  /** Takes up what there is room for. Whether it has seen all there is, and there was nothing that can be done. */
  const takeUp = async (): Promise<boolean> => {
    if (working.size >= maxParallel) await Promise.race(working.values())
    const place = after === undefined ? {} : { after }
    const { items, next } = await sessions.list({ pending: true, limit: maxParallel - working.size, within, ...place })
    isAllStuck = (after === undefined || isAllStuck) && items.every(({ namespace }) => stuck.has(namespace))
    after = next
    if (stop.signal.aborted) return false
    for (const { namespace } of items) {
      if (!working.has(namespace) && isDue(namespace)) working.set(namespace, work(namespace))
    }
    if (next === undefined)
      for (const [key, { until }] of patience) if (until + FORGET_MS < performance.now()) patience.delete(key)
    return next === undefined && isAllStuck
  }

  while (!stop.signal.aborted) {
    const news = submitted()
    ended = new AbortController()
    let nothing = false
    try {
      if (performance.now() - expiredAt > EXPIRY_MS) {
        await refuseExpired(stop.signal, tell)
        expiredAt = performance.now()
      }
      nothing = await takeUp()
      failures = 0
    } catch (error) {
      failures += 1
      tell(error)
    }
    if (nothing && working.size === 0 && untilIdle) break
    if (after !== undefined && failures === 0) continue
    using either = linkAbort(stop.signal, news, ended.signal)
    await pause(Math.min(pollMs * 2 ** failures, LONGEST_PAUSE_MS), either.signal)
  }
  while (working.size > 0) await Promise.allSettled(working.values())
  closing.throwIfAborted()
}
