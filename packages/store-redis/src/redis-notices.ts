import type { JsonObject, Namespace, Notices } from '@orra/core'
import type { RedisAccess } from './redis-access.ts'
import { closeGently, type RedisConnection } from './redis-connection.ts'

type Listener = (notice: JsonObject) => void

/** One channel a namespace, and one more connection for all subscriptions, made with the first of them. */
export function redisNotices(access: RedisAccess, timeoutMs: number): Notices & AsyncDisposable {
  let subscriber: Promise<RedisConnection> | undefined

  async function connected(): Promise<RedisConnection> {
    const known = await subscriber
    if (known && !known.isOpen) subscriber = undefined
    subscriber ??= access.subscriber().catch((error: unknown) => {
      subscriber = undefined
      throw error
    })
    return await subscriber
  }

  return {
    publish({ key }, notice) {
      access.publish(access.keys.channel(key), JSON.stringify(notice))
    },

    async subscribe({ key }: Namespace, listen) {
      const channel = access.keys.channel(key)
      let isOver = false
      const hear = (message: string) => {
        if (!isOver) heard(listen, message)
      }
      const client = await connected()
      try {
        await access.guarded(() => client.sSubscribe(channel, hear))
      } catch (error) {
        isOver = true
        throw error
      }
      return {
        async [Symbol.asyncDispose]() {
          if (isOver) return
          isOver = true
          // Without a connection there is nothing to tell Redis; when it comes back, `hear` does nothing.
          await access.guarded(() => client.sUnsubscribe(channel, hear)).catch(() => {})
        },
      }
    },

    async [Symbol.asyncDispose]() {
      const client = await subscriber?.catch(() => undefined)
      subscriber = undefined
      if (client) await closeGently(client, timeoutMs)
    },
  }
}

function heard(listen: Listener, message: string): void {
  try {
    listen(JSON.parse(message))
  } catch {
    // A listener's fault is its own.
  }
}
