import { linkAbort, untilAborted } from '../abort.ts'
import { OrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { Policies } from './policy.ts'
import { keepMatching } from './policy-tree.ts'
import { recentlyUsed } from './recently-used.ts'

/** The longest that any source is waited for, in milliseconds. */
export const ANSWER_WITHIN_MS = 60_000

/**
 * Where policies are kept that change while the application runs: a database, a service. It is asked whenever something
 * is to be decided, and what it gives is checked each time, so let `policySource` make it, which keeps both. When it fails,
 * gives nothing that can be used or does not answer within a minute, everything is denied there until it does.
 */
export interface PolicySource {
  /** The policies that may hold for a namespace, its ancestors' included. Patterns that do not match it are ignored. */
  policiesFor(namespace: Namespace, signal: AbortSignal): Policies | Promise<Policies>
}

export interface PolicySourceOptions {
  /**
   * Reads the policies that may hold for a namespace, its ancestors' included; `{}` where there are none. Patterns that do
   * not match it are ignored. The signal aborts at `timeoutMs`.
   */
  load(namespace: Namespace, signal: AbortSignal): Policies | Promise<Policies>
  /** How old what was loaded may become, in milliseconds, from when the load began; `Infinity` for until it is invalidated. @default 60,000 */
  readonly cacheMs?: number
  /** How long one load may take, in milliseconds. @default 5,000 */
  readonly timeoutMs?: number
  /** How many namespaces' policies are kept. Those that were not asked for the longest make room. @default 10,000 */
  readonly maxKept?: number
  /** A clock in milliseconds, of which only differences count. @default performance.now */
  readonly now?: () => number
}

export interface CachedPolicySource extends PolicySource {
  /**
   * Forgets what is kept for a namespace and all below it, or for all namespaces: whoever asks from now on gets what is
   * loaded from now on. Call it when policies have changed; other processes learn of it at `cacheMs`.
   */
  invalidate(within?: Namespace): void
}

const OPTIONS: OptionNames<PolicySourceOptions> = {
  load: true,
  cacheMs: true,
  timeoutMs: true,
  maxKept: true,
  now: true,
}

/**
 * A source that keeps what it loads. Whoever asks for a namespace that is being loaded waits for that load, and leaves it
 * to the others when its signal aborts. What cannot be loaded is not kept, so the next one who asks has it tried again.
 * Throws `options.invalid`.
 *
 * @example
 * const policies = policySource({ load: ({ key }) => database.policiesOf(key) })
 * const orra = createRuntime({ provider, policies })
 * policies.invalidate(Namespace.of('tenant', 'acme'))
 */
export function policySource(options: PolicySourceOptions): CachedPolicySource {
  const { load, cacheMs, timeoutMs, maxKept, now } = checked(options)
  const kept = recentlyUsed<{ readonly policies: Policies; readonly loadedAt: number } & Place>(maxKept)
  const loads = new Map<string, { readonly policies: Promise<Policies> } & Place>()

  async function loadInTime(namespace: Namespace): Promise<Policies> {
    using deadline = linkAbort()
    const timer = setTimeout(() => deadline.abort(tooLate(namespace, timeoutMs)), timeoutMs)
    try {
      const { signal } = deadline
      // In a turn of its own, so that whatever it does at once, it does to a load that is known.
      const loaded = Promise.resolve().then(() => load(namespace, signal))
      return keepMatching(await untilAborted(loaded, signal), namespace)
    } finally {
      clearTimeout(timer)
    }
  }

  function beginLoad(namespace: Namespace): Promise<Policies> {
    const { key } = namespace
    const loadedAt = now()
    const begun = { namespace, policies: loadInTime(namespace) }
    // An `invalidate` takes it away from here; then it is only for those who wait for it already.
    const isCurrent = () => loads.get(key) === begun && loads.delete(key)
    begun.policies.then(
      (policies) => {
        if (isCurrent()) kept.set(key, { namespace, policies, loadedAt })
      },
      () => isCurrent(),
    )
    loads.set(key, begun)
    return begun.policies
  }

  return {
    policiesFor(namespace, signal) {
      const known = kept.get(namespace.key)
      const age = known ? now() - known.loadedAt : Number.POSITIVE_INFINITY
      // A clock that was set back makes it old, too.
      if (known && age >= 0 && age < cacheMs) return known.policies
      if (signal.aborted) return Promise.reject(signal.reason)
      return untilAborted(loads.get(namespace.key)?.policies ?? beginLoad(namespace), signal)
    },
    invalidate(within) {
      for (const places of [kept, loads]) {
        for (const [key, { namespace }] of places.entries()) {
          if (within === undefined || within.contains(namespace)) places.delete(key)
        }
      }
    },
  }
}

/** For an option that takes policies as they are, or a source of them. */
export function isPolicySource(value: unknown): value is PolicySource {
  return typeof (value as Partial<PolicySource> | undefined | null)?.policiesFor === 'function'
}

interface Place {
  readonly namespace: Namespace
}

function checked(options: PolicySourceOptions): Required<PolicySourceOptions> {
  checkOptions('policySource', options, OPTIONS)
  const { load, cacheMs = 60_000, timeoutMs = 5_000, maxKept = 10_000, now = () => performance.now() } = options
  if (typeof load !== 'function') throw invalidOption('load', 'give a function that reads the policies of a namespace')
  if (!(typeof cacheMs === 'number' && cacheMs >= 0)) throw invalidOption('cacheMs', 'give milliseconds, 0 or more')
  if (!(Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= ANSWER_WITHIN_MS)) {
    throw invalidOption('timeoutMs', `give a whole number of milliseconds from 1 to ${ANSWER_WITHIN_MS}`)
  }
  if (!(Number.isInteger(maxKept) && maxKept > 0)) throw invalidOption('maxKept', 'give a whole number above 0')
  if (typeof now !== 'function') throw invalidOption('now', 'give a function that tells the time in milliseconds')
  return { load, cacheMs, timeoutMs, maxKept, now }
}

function tooLate({ key }: Namespace, timeoutMs: number): OrraError<'policy.unreachable'> {
  const message = `The policies were not loaded within ${timeoutMs} ms; see what keeps the source, or raise its "timeoutMs".`
  return new OrraError('policy.unreachable', message, { details: { namespace: key } })
}
