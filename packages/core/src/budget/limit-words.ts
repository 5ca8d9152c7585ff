import { OrraError } from '../errors.ts'
import type { HeldLimit, LimitName } from '../gate/limits.ts'
import type { HeldClaim } from './held-claims.ts'

const UNITS = { runs: ['run', 'runs'], tokens: ['token', 'tokens'], usd: ['US dollar', 'US dollars'] } as const
const NUMBER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 })

/** `limit of 50 US dollars a day for tenant:acme`, for people. */
function limitInWords({ name, value, namespace }: HeldLimit): string {
  return `limit of ${NUMBER.format(value)} ${unitInWords(name, value)} for ${namespace.key}`
}

function unitInWords(name: LimitName, value: number): string {
  const [counted = '', window] = name.split('Per')
  if (window === undefined || !(counted in UNITS)) return name
  const [one, many] = UNITS[counted as keyof typeof UNITS]
  return `${value === 1 ? one : many} ${window === 'Hour' ? 'an' : 'a'} ${window.toLowerCase()}`
}

/** Why nothing more is granted before the window ends. */
export function reachedInWords({ limit }: HeldClaim): string {
  return `The ${limitInWords(limit)} is reached.`
}

/** Why nothing would be granted in an empty window, either. */
export function tooSmallInWords({ limit }: HeldClaim): string {
  return `The ${limitInWords(limit)} is too small for this call alone.`
}

export function unpricedInWords({ limit }: HeldClaim, model: string): string {
  return `Nobody knows what the model ${model} costs, so the ${limitInWords(limit)} cannot be kept. Give "prices" for this model.`
}

/** Why a model is not asked in the place of the one for which was reserved. */
export function dearerInWords({ limit }: HeldClaim, model: string, reservedFor: string): string {
  return `The model ${model} may cost more than what is reserved for ${reservedFor} of the ${limitInWords(limit)}.`
}

export function limitReached(claim: HeldClaim, now: number): OrraError<'limit.reached'> {
  const { namespace, name } = claim.limit
  const details = { namespace: namespace.key, limit: name, ...retryAfter(claim, now) }
  const message = `${reachedInWords(claim)} Send it again when the window has ended, or raise the limit.`
  return new OrraError('limit.reached', message, { details })
}

/** How long it is until the window ends, where it does. */
export function retryAfter({ endsAt }: HeldClaim, now: number): { readonly retryAfterMs?: number } {
  return endsAt === undefined ? {} : { retryAfterMs: Math.max(0, endsAt - now) }
}
