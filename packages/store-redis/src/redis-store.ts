import { checkOptions, invalidOption, type NotifyingStore, type OptionNames, type SearchableRecords } from '@orra/core'
import { redisAccess } from './redis-access.ts'
import { givenLink, type Link, ownLink, type RedisConnection } from './redis-connection.ts'
import { redisCounters } from './redis-counters.ts'
import { redisNotices } from './redis-notices.ts'
import { redisRecords } from './redis-records.ts'
import { redisSessions } from './redis-sessions.ts'

export interface RedisStoreOptions {
  /** What the names of all keys and channels begin with: 1 to 64 characters without braces. @default orra */
  readonly prefix?: string
  /**
   * How long to wait for an answer, in milliseconds; after it the call fails, and whether Redis did what was asked is not
   * known. @default 5000
   */
  readonly timeoutMs?: number
  /** The clock, in milliseconds since 1970, for tests. @default the server's, which is one for all processes */
  readonly now?: () => number
}

const OPTIONS: OptionNames<RedisStoreOptions> = { prefix: true, timeoutMs: true, now: true }

/**
 * A store in Redis 7.0 or later, shared by any number of processes and machines; how durable it is, Redis's configuration
 * decides. It connects when it is first used, and again after its connection broke.
 *
 * Given a connected client of `createClient` or `createCluster`, it uses that one, does not close it, and makes a duplicate
 * for subscriptions.
 *
 * @example
 * const store = redisStore('redis://localhost:6379')
 */
export function redisStore(
  urlOrClient: string | RedisConnection,
  options: RedisStoreOptions = {},
): NotifyingStore & { readonly records: SearchableRecords } {
  checkOptions('redisStore', options, OPTIONS)
  const { prefix = 'orra', timeoutMs = 5000, now } = options
  if (typeof prefix !== 'string' || !/^[^{}]{1,64}$/.test(prefix)) {
    throw invalidOption('prefix', 'give 1 to 64 characters without braces')
  }
  if (!(Number.isSafeInteger(timeoutMs) && timeoutMs > 0))
    throw invalidOption('timeoutMs', 'give milliseconds, 1 or more')
  const { link, place } = linkTo(urlOrClient, timeoutMs)
  const access = redisAccess(link, { prefix, place, timeoutMs, now })
  const notices = redisNotices(access, timeoutMs)
  return {
    name: 'redis',
    sessions: redisSessions(access),
    records: redisRecords(access),
    counters: redisCounters(access),
    notices,
    async [Symbol.asyncDispose]() {
      await Promise.all([notices[Symbol.asyncDispose](), access.flush()])
      await link.close()
    },
  }
}

function linkTo(
  urlOrClient: string | RedisConnection,
  timeoutMs: number,
): { readonly link: Link; readonly place: string } {
  if (typeof urlOrClient !== 'string') {
    if (typeof urlOrClient?.evalSha !== 'function') throw invalidOption('url', URL_OR_CLIENT)
    return { link: givenLink(urlOrClient, '', timeoutMs), place: '' }
  }
  const { protocol = '', host, pathname = '', hash, username = '', password = '' } = URL.parse(urlOrClient) ?? {}
  if (hash || pathname.includes('@') || !isEscaped(username + password)) {
    throw invalidOption('url', 'in user and password, write @ : / ? # and % as %40 %3A %2F %3F %23 and %25')
  }
  if (!/^rediss?:$/.test(protocol) || !/^(\/\d*)?$/.test(pathname)) throw invalidOption('url', URL_OR_CLIENT)
  const place = ` at ${host || 'localhost'}`
  return { link: ownLink(urlOrClient, place, timeoutMs), place }
}

const URL_OR_CLIENT =
  'give one like "redis://user:password@host:6379/0", rediss:// for TLS, or a connected client of the package "redis"'

/** A password that is not would be taken for a host or a database, and told as such. */
function isEscaped(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
