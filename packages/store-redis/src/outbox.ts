import { type Link, whileConnected, within } from './redis-connection.ts'

/** Messages on their way to Redis, in the order in which they were told. What cannot be sent is lost. */
export interface Outbox {
  publish(channel: string, message: string): void
  /** Resolves when Redis has all of them, or cannot be reached. */
  flush(): Promise<void>
}

/** So many wait while Redis does not answer; the oldest beyond are lost. */
const MOST = 5000

export function outbox(link: Link, place: string, timeoutMs: number): Outbox {
  const waiting: (readonly [channel: string, message: string])[] = []
  let sending: Promise<void> | undefined

  async function sendAll(): Promise<void> {
    try {
      while (waiting.length > 0) {
        const connection = await link.commands()
        const client = connection.withCommandOptions({ timeout: timeoutMs, typeMapping: {} })
        const answers = waiting.splice(0).map(([channel, message]) => client.sPublish(channel, message))
        await within(timeoutMs, place, Promise.allSettled(answers)).catch(() => link.discard(connection))
      }
    } catch {
      waiting.length = 0
    } finally {
      sending = undefined
    }
  }

  return {
    publish(channel, message) {
      waiting.push([channel, message])
      if (waiting.length > MOST) waiting.shift()
      sending ??= sendAll()
    },

    async flush() {
      if (!sending) return
      const connection = await link.commands().catch(() => undefined)
      if (!connection) return
      await whileConnected(connection, timeoutMs, async () => sending).catch(() => link.discard(connection))
    },
  }
}
