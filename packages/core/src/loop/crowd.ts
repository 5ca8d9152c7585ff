import { concurrencyClaims, type HeldClaim } from '../budget/held-claims.ts'
import { openPlaces, type Taken, type Waiting } from '../budget/places.ts'
import type { Rules } from '../gate/rules.ts'
import type { Namespace } from '../namespace.ts'
import type { Counters } from '../store/counters.ts'

/**
 * Who waits for a place among the runs that may be at work at the same time. In this process sessions stand in line, one
 * line a limit, first come, first served; one that has had its turn goes to the end. Who comes anew gives way for a moment
 * to those who wait in other processes. Where no such limit holds it does nothing at all.
 */
export interface Crowd {
  /**
   * A place at every limit that holds; or `undefined`, and then the session stands in line, and `look` is called when
   * there may be one. That says whether anybody will look: by calling `enter` again, or `leave`. Throws what the store
   * throws, and the signal's reason.
   */
  enter(
    namespace: Namespace,
    rules: Rules,
    signal: AbortSignal,
    look: () => boolean,
  ): Promise<AsyncDisposable | undefined>
  /** The session stands in line no more. */
  leave(namespace: Namespace): void
  /** How many were before the session when it came to its line; `undefined` when it stands in none. */
  ahead(namespace: Namespace): number | undefined
  /** Asked, until disposed, about sessions whose turn it is and for which nobody else will look. */
  attend(attendant: Attendant): Disposable
}

/** Whether it looks now for the session with this key; not now, and others may; or `undefined`, never. */
type Attendant = (key: string) => boolean | undefined

export const NO_PLACE: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} }

/** How often whoever is first in line looks, though no place was given back here, in milliseconds. */
const FIRST_LOOK_MS = 50
const LONGEST_LOOK_MS = 1000
/** How long one who comes anew gives way: longer than those in other processes need to look. */
const GIVE_WAY_MS = 1500

/** The line before one limit. */
interface Line {
  readonly key: string
  readonly stands: Map<string, Stand>
  /** How many places this process has, of how many there are. */
  inside: number
  most: number
  lookMs: number
  timer: NodeJS.Timeout | undefined
}

/** One session in its line. */
interface Stand {
  readonly key: string
  readonly line: Line
  readonly ahead: number
  look: () => boolean
  /** It was its turn and it was called. */
  wasCalled: boolean
  /** Nobody had time to look when it was its turn, so others may go before it. */
  isPassed: boolean
  givesWayUntil: number | undefined
  /** Set once all places were found taken: from then on others give way to it. */
  waiting: Waiting | undefined
}

export function createCrowd(counters: Counters): Crowd {
  const places = openPlaces(counters)
  const lines = new Map<string, Line>()
  const stands = new Map<string, Stand>()
  const attendants = new Set<Attendant>()

  function lineOf({ place }: HeldClaim): Line {
    const { key } = place.namespace
    const known = lines.get(key)
    const fresh = { key, stands: new Map(), inside: 0, lookMs: FIRST_LOOK_MS, timer: undefined }
    const line = known ?? { ...fresh, most: place.limit }
    line.most = place.limit
    if (!known) lines.set(key, line)
    return line
  }

  /** The store need not be asked: this process has all places itself, or others are to look first. */
  function isShut({ place }: HeldClaim, key: string): boolean {
    const line = lines.get(place.namespace.key)
    return line !== undefined && (line.inside >= place.limit || isBehind(line, key))
  }

  function standIn(key: string, held: HeldClaim, look: () => boolean): Stand {
    const line = lineOf(held)
    const known = stands.get(key)
    if (known?.line === line) {
      known.look = look
      known.isPassed = false
      known.wasCalled = false
      return known
    }
    if (known) remove(known)
    const stand: Stand = {
      ...{ key, line, look, ahead: line.stands.size },
      ...{ wasCalled: false, isPassed: false, givesWayUntil: undefined, waiting: undefined },
    }
    stands.set(key, stand)
    line.stands.set(key, stand)
    line.timer ??= lookLater(line)
    return stand
  }

  function remove(stand: Stand): void {
    const { key, line } = stand
    const wasFirst = !isBehind(line, key)
    forget(stand)
    if (wasFirst && line.inside < line.most) callFirst(line)
    tidy(line)
  }

  function forget({ key, line, waiting }: Stand): void {
    waiting?.[Symbol.dispose]()
    stands.delete(key)
    line.stands.delete(key)
  }

  /** Has the first who can look do so, and again after a while: places are given back in other processes, too. */
  function callFirst(line: Line): void {
    clearTimeout(line.timer)
    line.timer = lookLater(line)
    for (const stand of line.stands.values()) {
      // One that was called and has not come by now holds up no other.
      const looks = !stand.wasCalled && (stand.look() || attended(stand.key))
      if (looks) {
        stand.wasCalled = true
        return
      }
      if (looks === undefined) {
        forget(stand)
        continue
      }
      stand.isPassed = true
      stand.waiting?.[Symbol.dispose]()
      stand.waiting = undefined
    }
    for (const stand of line.stands.values()) stand.wasCalled = false
    tidy(line)
  }

  function attended(key: string): boolean | undefined {
    let looks: boolean | undefined
    for (const attendant of attendants) {
      looks = attendant(key) ?? looks
      // One is enough.
      if (looks) return true
    }
    return looks
  }

  function lookLater(line: Line): NodeJS.Timeout {
    const timer = setTimeout(() => callFirst(line), line.lookMs).unref()
    line.lookMs = Math.min(line.lookMs * 2, LONGEST_LOOK_MS)
    return timer
  }

  function tidy(line: Line): void {
    if (line.stands.size > 0) return
    clearTimeout(line.timer)
    line.timer = undefined
    line.lookMs = FIRST_LOOK_MS
    if (line.inside === 0 && lines.get(line.key) === line) lines.delete(line.key)
  }

  function refused(key: string, { full, isReserved }: Extract<Taken, { full: HeldClaim }>, look: () => boolean): void {
    const stand = standIn(key, full, look)
    if (isReserved) stand.givesWayUntil ??= performance.now() + GIVE_WAY_MS
    else if (stand.waiting) stand.waiting.renew()
    else stand.waiting = places.wait(full)
  }

  function leave({ key }: Namespace): void {
    const stand = stands.get(key)
    if (stand) remove(stand)
  }

  return {
    leave,

    async enter(namespace, rules, signal, look) {
      const { key } = namespace
      const held = concurrencyClaims(rules)
      if (held.length === 0) {
        leave(namespace)
        return NO_PLACE
      }
      const shut = held.find((limit) => isShut(limit, key))
      if (shut) {
        standIn(key, shut, look)
        return undefined
      }
      const taken = await places.take(held, givesWay(stands.get(key)), signal)
      if ('full' in taken) {
        refused(key, taken, look)
        return undefined
      }
      const entered = held.map(lineOf)
      for (const line of entered) line.inside += 1
      leave(namespace)
      return {
        async [Symbol.asyncDispose]() {
          await taken.place[Symbol.asyncDispose]()
          for (const line of entered) {
            line.inside -= 1
            line.lookMs = FIRST_LOOK_MS
            callFirst(line)
          }
        },
      }
    },

    ahead: ({ key }) => stands.get(key)?.ahead,

    attend(attendant) {
      attendants.add(attendant)
      return { [Symbol.dispose]: () => void attendants.delete(attendant) }
    },
  }
}

/** Whether somebody else is to look first. */
function isBehind({ stands }: Line, key: string): boolean {
  for (const stand of stands.values()) {
    if (stand.key === key) return false
    if (!stand.isPassed) return true
  }
  return false
}

function givesWay(stand: Stand | undefined): boolean {
  if (!stand) return true
  return !stand.waiting && performance.now() < (stand.givesWayUntil ?? Number.POSITIVE_INFINITY)
}
