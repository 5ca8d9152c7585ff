import { createHash } from 'node:crypto'
import { type JsonObject, localNotices, type Namespace, type Notices } from '@orra/core'
import type { Run } from './database.ts'
import type { ChannelListener } from './listen-to-channels.ts'
import { noticeOf, publisher } from './publish-notices.ts'

export interface PostgresNotices extends Notices {
  /** Sends what waits and listens no more. */
  readonly close: () => Promise<void>
}

/**
 * Notices over NOTIFY, a channel a namespace. Without a listener, this process hears its own only, and others hear them
 * all the same. `room` tells stores of one database apart.
 */
export function postgresNotices(run: Run, listener: ChannelListener | undefined, room: string): PostgresNotices {
  const { publish, flush } = publisher(run)
  const own = listener ? undefined : localNotices()
  const channelOf = ({ key }: Namespace) => {
    return `orra_${createHash('sha256').update(`${room}\0${key}`).digest('base64url').slice(0, 32)}`
  }
  return {
    publish(namespace, notice) {
      publish(channelOf(namespace), notice)
      own?.publish(namespace, notice)
    },

    async subscribe(namespace, hear) {
      if (own) return own.subscribe(namespace, hear)
      return (listener as ChannelListener).listen(channelOf(namespace), (text) => tell(hear, noticeOf(text)))
    },

    async close() {
      await flush()
      await listener?.close()
    },
  }
}

function tell(hear: (notice: JsonObject) => void, notice: JsonObject): void {
  try {
    hear(notice)
  } catch {
    // A listener's fault is its own.
  }
}
