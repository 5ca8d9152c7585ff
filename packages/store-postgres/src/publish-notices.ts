import type { JsonObject } from '@orra/core'
import type { Run } from './database.ts'
import { sql } from './sql.ts'

/** A notice ready to be sent: its text begins with a number of its own, for PostgreSQL leaves out what it has sent already. */
interface Outgoing {
  readonly channel: string
  readonly text: string
}

export interface Publisher {
  readonly publish: (channel: string, notice: JsonObject) => void
  /** Resolves once all that was published is sent or lost. */
  readonly flush: () => Promise<void>
}

/** PostgreSQL takes less than this, in bytes. */
const LONGEST = 8000

/** In characters. What does not fit is lost: nobody waits for notices while the server is away. */
const MOST_WAITING = 32 * 1024 * 1024

const MOST_AT_ONCE = 500

/** One query at a time, which takes all that has come since the one before. */
export function publisher(run: Run): Publisher {
  let waiting: Outgoing[] = []
  let characters = 0
  let count = 0
  let sending: Promise<void> | undefined
  let flushing = false

  async function send(): Promise<void> {
    // Those of one burst go together.
    await undefined
    while (waiting.length > 0) {
      const now = waiting.slice(0, MOST_AT_ONCE)
      waiting = waiting.slice(MOST_AT_ONCE)
      for (const { text } of now) characters -= text.length
      const channels = now.map(({ channel }) => channel)
      const texts = now.map(({ text }) => text)
      await run(sql`SELECT pg_notify(channel, text)
        FROM unnest(${channels}::text[], ${texts}::text[]) AS notice (channel, text)`).catch(lose)
    }
    sending = undefined
  }

  /** A notice may be lost: what it tells is found out by looking, too. */
  function lose(): void {
    // Whoever closes does not wait for one failure after another.
    if (flushing) waiting = []
  }

  return {
    publish(channel, notice) {
      count += 1
      const text = `${count} ${JSON.stringify(notice)}`
      if (Buffer.byteLength(text) >= LONGEST || characters + text.length > MOST_WAITING) return
      characters += text.length
      waiting.push({ channel, text })
      sending ??= send()
    },
    async flush() {
      flushing = true
      await sending
    },
  }
}

/** The notice as it was published. */
export function noticeOf(text: string): JsonObject {
  return JSON.parse(text.slice(text.indexOf(' ') + 1))
}
