import { isOrraError, OrraError } from '@orra/core'

interface Problem {
  readonly text: string
  /** The same call, made again later, may succeed. */
  readonly passing?: boolean
}

const BROKEN = {
  text: 'the connection broke, and it is not known whether the last call was done; make it again',
  passing: true,
}
const NOT_MADE = {
  text: 'it broke the connection before it was ready; see whether this is a Redis server, and use rediss:// if it wants TLS',
  passing: true,
}
const NO_TLS = { text: 'it does not speak TLS; use redis://, or switch TLS on' }
const TIMED_OUT = {
  text: 'it did not answer in time; see whether the server runs and is not overloaded',
  passing: true,
}

/** By the code of a system error, the first word of Redis's answer, or the name of the client's error. */
const PROBLEMS: { readonly [sign: string]: Problem } = {
  ECONNREFUSED: { text: 'nothing listens there; start the server, or correct the host and port', passing: true },
  ENOTFOUND: { text: 'there is no such host; correct it' },
  EAI_AGAIN: { text: 'the name of the host cannot be looked up just now', passing: true },
  EHOSTUNREACH: { text: 'the host cannot be reached; look at the network between', passing: true },
  ENETUNREACH: { text: 'the host cannot be reached; look at the network between', passing: true },
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  SocketClosedUnexpectedlyError: BROKEN,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  DisconnectsClientError: BROKEN,
  ClientOfflineError: BROKEN,
  ReconnectStrategyError: BROKEN,
  ETIMEDOUT: TIMED_OUT,
  TimeoutError: TIMED_OUT,
  ConnectionTimeoutError: TIMED_OUT,
  SocketTimeoutError: TIMED_OUT,
  RootNodesUnavailableError: { text: 'none of the nodes of the cluster can be reached', passing: true },
  ClientClosedError: {
    text: 'the client is not connected; connect it before it is used, and close it after the store',
  },
  WRONGPASS: { text: 'the user name or password is wrong' },
  NOAUTH: { text: 'it asks for a password; give one' },
  NOPERM: { text: 'this user may not run all commands, keys and channels with the prefix; extend its rights' },
  READONLY: { text: 'it is a replica, which cannot be written; connect to the primary', passing: true },
  OOM: { text: 'its memory is full; raise maxmemory, or remove data', passing: true },
  MISCONF: {
    text: 'it cannot write its snapshots and so takes no writes; look at its log and its disk',
    passing: true,
  },
  LOADING: { text: 'it is still loading its data', passing: true },
  BUSY: { text: 'a script of somebody else keeps it busy', passing: true },
  MASTERDOWN: { text: 'its primary cannot be reached', passing: true },
  CLUSTERDOWN: { text: 'its cluster is down, or lacks a part of its slots', passing: true },
  TRYAGAIN: { text: 'its cluster is moving these keys', passing: true },
  NOREPLICAS: { text: 'it has too few replicas to take writes', passing: true },
  WRONGTYPE: { text: 'a key with this prefix holds something else; choose another prefix' },
  MOVED: { text: 'it is a node of a cluster; give a connected client of createCluster instead of a URL' },
  CROSSSLOT: { text: 'the prefix must not change which keys share a slot; give one without braces' },
}

/**
 * Puts what Redis and its client throw into orra's words. `place` says which server, without its password. Of answers that
 * are not known only the first word is told.
 */
export function toStoreError(error: unknown, place: string): unknown {
  if (isOrraError(error) || !(error instanceof Error)) return error
  const { text, passing = false } = problemOf(error)
  return unusable(place, text, { retryable: passing, cause: error })
}

/** The same for what is thrown while a connection is made, when nothing was asked yet. */
export function toConnectError(error: unknown, place: string): unknown {
  if (!(error instanceof Error) || problemOf(error) !== BROKEN) return toStoreError(error, place)
  return unusable(place, NOT_MADE.text, { retryable: NOT_MADE.passing, cause: error })
}

export function unusable(
  place: string,
  problem: string,
  { retryable = false, cause }: { readonly retryable?: boolean; readonly cause?: unknown } = {},
): OrraError<'store.unusable'> {
  const details = { store: 'redis', problem }
  return new OrraError('store.unusable', `The Redis store${place} cannot be used: ${problem}.`, {
    details,
    retryable,
    cause,
  })
}

/** The first word of what Redis answered, such as `NOSCRIPT`. */
export function replyCode(error: unknown): string {
  return error instanceof Error ? (/^[A-Z]+/.exec(error.message)?.[0] ?? '') : ''
}

function problemOf(error: Error): Problem {
  const { code } = error as { readonly code?: unknown }
  const signs = [typeof code === 'string' ? code : '', error.constructor.name, replyCode(error)]
  for (const sign of signs) if (Object.hasOwn(PROBLEMS, sign)) return PROBLEMS[sign] as Problem
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return problemOf(error.errors[0])
  if (/max number of clients/.test(error.message))
    return { text: 'it has too many clients; raise maxclients', passing: true }
  if (/DB index/.test(error.message)) return { text: 'it has no database of this number' }
  if (/unknown command/i.test(error.message)) return { text: 'it lacks a command; Redis 7.0 or later is needed' }
  return { text: `it answered "${replyCode(error) || error.name}"; see the cause` }
}
