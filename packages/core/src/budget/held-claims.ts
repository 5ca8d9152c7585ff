import type { Counted, HeldLimit, WindowLimitName, WindowUnit } from '../gate/limits.ts'
import type { Rules } from '../gate/rules.ts'
import type { Claim } from '../store/counters.ts'
import { limitInMicroUsd } from './micro-usd.ts'
import { WINDOW_SLACK_MS, windowAt } from './windows.ts'

/** A limit, and what is asked of the store because of it. */
export interface HeldClaim {
  readonly limit: HeldLimit
  /** Absent for what is not counted in windows of time. */
  readonly counted?: Counted
  /** When the window ends, by this process's clock. */
  readonly endsAt?: number
  /** All of a claim but its amount; money is in millionths of a dollar. */
  readonly place: Omit<Claim, 'amount' | 'limit'> & { readonly limit: number }
}

const COUNTED = ['runs', 'tokens', 'usd'] as const satisfies readonly Counted[]
const UNITS = ['Minute', 'Hour', 'Day', 'Month'] as const satisfies readonly WindowUnit[]

const WINDOW_LIMITS: ReadonlyMap<string, { readonly counted: Counted; readonly unit: WindowUnit }> = new Map(
  COUNTED.flatMap((counted) =>
    UNITS.map((unit) => [`${counted}Per${unit}` satisfies WindowLimitName, { counted, unit }] as const),
  ),
)

/** The claims of all limits on what is counted in windows, for the windows of now. */
export function windowClaims({ limits }: Rules, wanted: readonly Counted[], now: number): readonly HeldClaim[] {
  return smallestOfEach(limits).flatMap((limit): readonly HeldClaim[] => {
    const { counted, unit } = WINDOW_LIMITS.get(limit.name) ?? {}
    if (!counted || !unit || !wanted.includes(counted)) return []
    const { name, endsAt } = windowAt(unit, now)
    const most = counted === 'usd' ? limitInMicroUsd(limit.value) : limit.value
    const window = { namespace: limit.namespace, counter: counted, window: name, endsAt: endsAt + WINDOW_SLACK_MS }
    return [{ limit, counted, endsAt, place: { ...window, limit: wholeAmount(most) } }]
  })
}

/** The claims of all limits on runs at the same time. */
export function concurrencyClaims({ limits }: Rules): readonly HeldClaim[] {
  return smallestOfEach(limits)
    .filter(({ name }) => name === 'concurrentRuns')
    .map((limit) => {
      const { namespace, value } = limit
      return { limit, place: { namespace, counter: 'concurrent-runs', window: 'now', limit: wholeAmount(value) } }
    })
}

/** Several policies may limit the same thing in the same place; the store would add up their claims. */
function smallestOfEach(limits: readonly HeldLimit[]): readonly HeldLimit[] {
  const smallest = new Map<string, HeldLimit>()
  for (const limit of limits) {
    const place = `${limit.name}:${limit.namespace.key}`
    const found = smallest.get(place)
    if (!found || limit.value < found.value) smallest.set(place, limit)
  }
  return [...smallest.values()]
}

function wholeAmount(value: number): number {
  return Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER)
}
