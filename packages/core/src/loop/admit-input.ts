import { isOrraError, OrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { InputEntry } from '../store/entry.ts'
import type { Services } from './run-scope.ts'

/**
 * Accepts a message only where policies let one more in. `accept` says whether it is new: one that was accepted before does
 * not count again, and where no more are let in, `ifKnown` says that only such a one may be accepted. Throws
 * `policy.unreachable` and `limit.reached`.
 */
export async function admitted<T extends { readonly isNew: boolean }>(
  { gate, meter }: Services,
  namespace: Namespace,
  { spawnedBy }: InputEntry,
  signal: AbortSignal,
  accept: (ifKnown: boolean) => Promise<T>,
): Promise<T> {
  const rules = await gate.at(namespace, signal)
  if (rules.unreachable !== undefined) return orElse(policyUnreachable(namespace, rules.cause), accept)
  // A sub-agent works for the message that its caller answers.
  if (spawnedBy) return accept(false)
  let admission: Awaited<ReturnType<typeof meter.admit>>
  try {
    admission = await meter.admit(rules, signal)
  } catch (error) {
    return orElse(error, accept)
  }
  let counts = false
  try {
    const accepted = await accept(false)
    counts = accepted.isNew
    return accepted
  } finally {
    // What cannot be settled now runs out by itself.
    await admission.settle(counts).catch(() => {})
  }
}

/** What was accepted before; of anything else, why it is not let in. */
async function orElse<T>(refusal: unknown, accept: (ifKnown: boolean) => Promise<T>): Promise<T> {
  if (!isOrraError(refusal, 'limit.reached', 'policy.unreachable')) throw refusal
  try {
    return await accept(true)
  } catch (error) {
    throw isOrraError(error, 'store.conflict') ? refusal : error
  }
}

export function policyUnreachable({ key }: Namespace, cause: unknown): OrraError<'policy.unreachable'> {
  const message = 'The policies cannot be had now, so nothing new is accepted or begun; see the cause. Try again later.'
  return new OrraError('policy.unreachable', message, { details: { namespace: key }, cause })
}
