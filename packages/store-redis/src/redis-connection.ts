import { createClient } from 'redis'
import { toConnectError, unusable } from './redis-error.ts'

/** What the store uses of a client: those that `createClient` and `createCluster` of the package `redis` make have it. */
export interface RedisConnection {
  readonly isOpen: boolean
  /** Whether it is connected just now; a cluster does not say. */
  readonly isReady?: boolean
  connect(): Promise<unknown>
  duplicate(): RedisConnection
  close(): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  withCommandOptions(options: {
    timeout: number
    typeMapping: Record<never, never>
  }): Pick<RedisConnection, 'eval' | 'evalSha' | 'sPublish'>
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  sPublish(channel: string, message: string): Promise<unknown>
  sSubscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  sUnsubscribe(channel: string, listener: (message: string) => void): Promise<unknown>
}

/** Where connections come from, and when they end. */
export interface Link {
  /** The connection for commands. */
  commands(): Promise<RedisConnection>
  /** A new connection for subscriptions, which comes back by itself. */
  subscriber(): Promise<RedisConnection>
  /** Says that a connection for commands is of no use. */
  discard(connection: RedisConnection): void
  close(): Promise<void>
}

/** Milliseconds before each try to come back; afterwards calls fail until one of them succeeds in connecting. */
const RETRIES = [50, 100, 200, 400, 800, 1600]

const CLOSED = 'it was closed; open another'

/** Connections of the store's own: made when first used and whenever the last one is gone. */
export function ownLink(url: string, place: string, timeoutMs: number): Link {
  let current: Promise<RedisConnection> | undefined
  let live: RedisConnection | undefined
  let closed = false

  async function open(delayOf: (retries: number) => number | false, onEnd: () => void): Promise<RedisConnection> {
    if (closed) throw unusable(place, CLOSED)
    let worked = false
    const reconnectStrategy = (retries: number) => (worked && !closed ? delayOf(retries) : false)
    const client = createClient({ url, socket: { connectTimeout: timeoutMs, reconnectStrategy } })
    // Without a listener the process would end; what is wrong is told to whoever calls.
    client.on('error', () => {})
    client.on('terminated', onEnd)
    try {
      await within(timeoutMs, place, client.connect())
      worked = true
      return client
    } catch (error) {
      client.destroy()
      throw toConnectError(error, place)
    }
  }

  return {
    commands() {
      if (current) return current
      const opening = open(
        (retries) => RETRIES[retries] ?? false,
        () => forget(),
      )
      const forget = () => {
        if (current === opening) current = undefined
      }
      current = opening
      opening.then((client) => {
        live = client
      }, forget)
      return opening
    },
    subscriber: () =>
      open(
        (retries) => RETRIES[retries] ?? 2000,
        () => {},
      ),
    discard(connection) {
      if (connection === live) {
        current = undefined
        live = undefined
      }
      connection.destroy()
    },
    async close() {
      closed = true
      const opening = current
      current = undefined
      const client = await opening?.catch(() => undefined)
      if (client) await closeGently(client, timeoutMs)
    },
  }
}

/** The application's client, which stays open. */
export function givenLink(client: RedisConnection, place: string, timeoutMs: number): Link {
  const ignore = () => {}
  let closed = false
  client.on('error', ignore)
  return {
    async commands() {
      if (closed) throw unusable(place, CLOSED)
      return client
    },
    async subscriber() {
      if (closed) throw unusable(place, CLOSED)
      const subscriber = client.duplicate()
      subscriber.on('error', ignore)
      try {
        await within(timeoutMs, place, subscriber.connect())
        return subscriber
      } catch (error) {
        subscriber.destroy()
        throw error
      }
    },
    discard() {},
    async close() {
      closed = true
      client.off('error', ignore)
    },
  }
}

/** Lets what was asked be answered, but does not wait for ever, nor for a server that is away. */
export async function closeGently(client: RedisConnection, timeoutMs: number): Promise<void> {
  try {
    await whileConnected(client, timeoutMs, () => client.close())
  } catch {
    client.destroy()
  }
}

/** What `work` does, or a failure as soon as the connection breaks, where it is broken already, or after this time. */
export async function whileConnected(
  client: RedisConnection,
  timeoutMs: number,
  work: () => Promise<unknown>,
): Promise<void> {
  if (client.isReady === false) throw unusable('', 'it is away', { retryable: true })
  const { promise: broken, reject } = Promise.withResolvers<never>()
  client.on('error', reject)
  try {
    await within(timeoutMs, '', Promise.race([work(), broken]))
  } finally {
    client.off('error', reject)
  }
}

/** `work`, or after this time a failure that may pass. */
export async function within<T>(ms: number, place: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = () =>
    reject(
      unusable(place, `it did not answer within ${ms} ms, and it is not known whether it did what was asked`, {
        retryable: true,
      }),
    )
  const timer = setTimeout(late, ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
