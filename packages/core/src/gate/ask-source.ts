import { type LinkedAbort, linkAbort, untilAborted } from '../abort.ts'
import { isOrraError, OrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { Policies } from './policy.ts'
import { ANSWER_WITHIN_MS, type PolicySource } from './policy-source.ts'
import { compilePolicies, type PolicyTree } from './policy-tree.ts'

/** Why a source's policies cannot be had. Only `cause` holds anything of the error. */
export interface SourceFailure {
  readonly rule: string
  readonly reason: string
  readonly cause: unknown
}

export type Answer = PolicyTree | SourceFailure

export function isFailure(answer: Answer): answer is SourceFailure {
  return 'reason' in answer
}

/**
 * What a source has for a namespace, made ready, at once when it knows at once. Whatever goes wrong is a failure; rejects
 * only with the signal's reason.
 */
export function askSource(
  source: PolicySource,
  name: string,
  namespace: Namespace,
  signal: AbortSignal | undefined,
): Answer | Promise<Answer> {
  const link = linkAbort(signal)
  try {
    const given = source.policiesFor(namespace, link.signal)
    if (isThenable(given)) return inTime(given, name, namespace, link, signal)
    link[Symbol.dispose]()
    return compilePolicies(given)
  } catch (error) {
    link[Symbol.dispose]()
    return failureOf(error, name)
  }
}

async function inTime(
  given: Promise<Policies>,
  name: string,
  namespace: Namespace,
  link: LinkedAbort,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const timer = setTimeout(() => link.abort(noAnswer(namespace)), ANSWER_WITHIN_MS)
  try {
    return compilePolicies(await untilAborted(given, link.signal))
  } catch (error) {
    signal?.throwIfAborted()
    return failureOf(error, name)
  } finally {
    clearTimeout(timer)
    link[Symbol.dispose]()
  }
}

function failureOf(cause: unknown, name: string): SourceFailure {
  const reason = isOrraError(cause, 'policy.invalid')
    ? `The ${name} gave policies that cannot be used, so nothing is allowed here until it gives others.`
    : `The ${name} cannot be reached, so nothing is allowed here until it can.`
  return { rule: name, reason, cause }
}

function noAnswer({ key }: Namespace): OrraError<'policy.unreachable'> {
  const message = `The policy source did not answer within ${ANSWER_WITHIN_MS} ms; make it heed its signal and fail sooner.`
  return new OrraError('policy.unreachable', message, { details: { namespace: key } })
}

function isThenable(value: Policies | Promise<Policies>): value is Promise<Policies> {
  return typeof (value as Partial<Promise<Policies>> | undefined | null)?.then === 'function'
}
