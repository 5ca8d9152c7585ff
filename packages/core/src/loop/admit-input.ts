import { OrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { InputEntry } from '../store/entry.ts'
import type { Services } from './run-scope.ts'

/**
 * Accepts a message only where policies let one more in. `accept` says whether it is new: one that was accepted before does
 * not count again. Throws `policy.unreachable` and `limit.reached`.
 */
export async function admitted<T extends { readonly isNew: boolean }>(
  { gate, meter }: Services,
  namespace: Namespace,
  { spawnedBy }: InputEntry,
  signal: AbortSignal,
  accept: () => Promise<T>,
): Promise<T> {
  const rules = await gate.at(namespace, signal)
  if (rules.unreachable !== undefined) throw unreachable(namespace, rules.cause)
  // A sub-agent works for the message that its caller answers.
  if (spawnedBy) return accept()
  const admission = await meter.admit(namespace, rules, signal)
  let counts = false
  try {
    const accepted = await accept()
    counts = accepted.isNew
    return accepted
  } finally {
    // What cannot be settled now runs out by itself.
    await admission.settle(counts).catch(() => {})
  }
}

function unreachable({ key }: Namespace, cause: unknown): OrraError<'policy.unreachable'> {
  const message = 'The policies cannot be had now, so nothing was accepted. Send it again later.'
  return new OrraError('policy.unreachable', message, { details: { namespace: key }, cause })
}
