import { isOrraError, OrraError } from '@orra/core'
import { type Keys, keysOf } from './keys.ts'
import { outbox } from './outbox.ts'
import { type Link, type RedisConnection, within } from './redis-connection.ts'
import { replyCode, toStoreError, unusable } from './redis-error.ts'
import { defineScript, type Script } from './script.ts'

/** How all parts of the store reach Redis. What it throws is in orra's words. */
export interface RedisAccess {
  readonly keys: Keys
  /** The application's clock, or this process's: for what is not written. What is written carries the time of its script. */
  readonly localNow: () => number
  /** Runs a script; its answer is of the type that the caller knows it to have. */
  run<Reply>(script: Script, keys: readonly string[], args?: readonly (string | number)[]): Promise<Reply>
  /** Sends a message, in the order of the calls; it is lost when Redis cannot be reached. */
  publish(channel: string, message: string): void
  /** Waits until what was published is sent, for no longer than a command may take. */
  flush(): Promise<void>
  /** A new connection for subscriptions. */
  subscriber(): Promise<RedisConnection>
  /** Runs anything else with Redis's errors put into words, for no longer than a command may take. */
  guarded<T>(work: () => Promise<T>): Promise<T>
}

/** What this version reads and writes. */
const SCHEMA = 1

const SCHEMA_VERSION = defineScript(`
redis.call('SET', KEYS[1], ARGV[2], 'NX')
return redis.call('GET', KEYS[1])
`)

interface AccessOptions {
  readonly prefix: string
  /** Which server, for messages: empty, or a blank and its host and port. */
  readonly place: string
  readonly timeoutMs: number
  readonly now: (() => number) | undefined
}

export function redisAccess(link: Link, { prefix, place, timeoutMs, now }: AccessOptions): RedisAccess {
  const keys = keysOf(prefix)
  let checked: Promise<void> | undefined
  const { publish, flush } = outbox(link, place, timeoutMs)

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await within(timeoutMs, place, work())
    } catch (error) {
      throw toStoreError(error, place)
    }
  }

  async function send(
    connection: RedisConnection,
    script: Script,
    touched: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    // Answers are texts and numbers, whatever the application's client makes of them elsewhere.
    const client = connection.withCommandOptions({ timeout: timeoutMs, typeMapping: {} })
    const call = { keys: [...touched], arguments: [now ? `${now()}` : '', ...args.map(String)] }
    try {
      return await within(timeoutMs, place, client.evalSha(script.sha, call))
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw error
      return await within(timeoutMs, place, client.eval(script.source, call))
    }
  }

  async function attempt(script: Script, touched: readonly string[], args: readonly (string | number)[]) {
    try {
      const connection = await link.commands()
      try {
        return await send(connection, script, touched, args)
      } catch (error) {
        // A server that does not answer, or has become a replica, may have a successor at the same address.
        if (replyCode(error) === 'READONLY' || isOrraError(error)) link.discard(connection)
        throw error
      }
    } catch (error) {
      throw toStoreError(error, place)
    }
  }

  async function checkSchema(): Promise<void> {
    const found = Number(await attempt(SCHEMA_VERSION, [keys.schema], [SCHEMA]))
    const isForeign = !Number.isSafeInteger(found)
    if (isForeign) throw unusable(place, `the key "${keys.schema}" is not of this store; choose another prefix`)
    if (found > SCHEMA) throw newerSchema(found)
  }

  return {
    keys,
    localNow: now ?? Date.now,
    guarded,
    async run<Reply>(script: Script, touched: readonly string[], args: readonly (string | number)[] = []) {
      checked ??= checkSchema().catch((error: unknown) => {
        checked = undefined
        throw error
      })
      await checked
      return (await attempt(script, touched, args)) as Reply
    },
    publish,
    flush,
    subscriber: () => guarded(() => link.subscriber()),
  }
}

function newerSchema(found: number): OrraError<'store.newer-schema'> {
  const message = `These keys were written by a newer @orra/store-redis (its schema is ${found}, this one knows ${SCHEMA}); update the package.`
  return new OrraError('store.newer-schema', message, { details: { store: 'redis', found, supported: SCHEMA } })
}
