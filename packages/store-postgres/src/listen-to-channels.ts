import type { Client } from 'pg'
import { CLOSED, toConnectError, toStoreError, unusable } from './postgres-error.ts'

export interface ChannelListener {
  /** Resolves once it listens, until disposed. Throws `store.unusable`. */
  readonly listen: (channel: string, heard: (text: string) => void) => Promise<AsyncDisposable>
  readonly close: () => Promise<void>
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000

/**
 * One connection for all channels, made when the first is listened to. While anybody listens, one that broke is made
 * again, after pauses that grow; what was sent meanwhile is lost. No answer is waited for longer than `timeoutMs`.
 */
export function channelListener(newClient: () => Client, target: string, timeoutMs: number): ChannelListener {
  const listeners = new Map<string, Set<(text: string) => void>>()
  /** Channels to be listened to or left, as `listeners` has it by then. */
  const changed = new Set<string>()
  /** Those that are surely listened to. */
  const heard = new Set<string>()
  let client: Client | undefined
  let settling: Promise<void> | undefined
  let pause = FIRST_PAUSE_MS
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const settle = () => {
    settling ??= settleAll().finally(() => {
      settling = undefined
    })
    return settling
  }

  async function settleAll(): Promise<void> {
    try {
      while (changed.size > 0 && !(client === undefined && listeners.size === 0)) {
        client ??= await open()
        keepAlive(client, true)
        const those = [...changed]
        changed.clear()
        const wanted = those.filter((channel) => listeners.has(channel))
        const left = those.filter((channel) => !listeners.has(channel))
        const commands = [...wanted.map((name) => `LISTEN "${name}"`), ...left.map((name) => `UNLISTEN "${name}"`)]
        const used = client
        const query = { text: commands.join(';'), query_timeout: timeoutMs }
        await used.query(query).catch((error: unknown) => {
          lose(used)
          throw error
        })
        keepAlive(used, listeners.size > 0)
        for (const channel of wanted) if (client === used && !changed.has(channel)) heard.add(channel)
      }
      pause = FIRST_PAUSE_MS
    } catch (error) {
      again()
      throw toStoreError(error, target)
    }
  }

  async function open(): Promise<Client> {
    if (closed) throw unusable(target, CLOSED)
    const made = newClient()
    made.on('error', () => lose(made))
    made.on('end', () => lose(made))
    made.on('notification', ({ channel, payload = '' }) => {
      for (const listener of listeners.get(channel) ?? []) listener(payload)
    })
    await made.connect().catch((error: unknown) => {
      throw toConnectError(error, target)
    })
    return made
  }

  function lose(gone: Client): void {
    if (gone !== client) return
    client = undefined
    heard.clear()
    for (const channel of listeners.keys()) changed.add(channel)
    gone.end().catch(ignore)
    again()
  }

  /** Tries once more, later. */
  function again(): void {
    if (closed || timer || listeners.size === 0) return
    timer = setTimeout(
      () => {
        timer = undefined
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
        settle().catch(ignore)
      },
      pause * (0.5 + Math.random()),
    )
  }

  async function leave(channel: string, listener: (text: string) => void): Promise<void> {
    const those = listeners.get(channel)
    if (!those?.delete(listener) || those.size > 0) return
    listeners.delete(channel)
    heard.delete(channel)
    changed.add(channel)
    await settle().catch(ignore)
  }

  return {
    async listen(channel, hear) {
      // The same function may listen twice.
      const listener = (text: string) => hear(text)
      const those = listeners.get(channel) ?? new Set()
      listeners.set(channel, those.add(listener))
      try {
        while (!heard.has(channel)) {
          if (closed) throw unusable(target, CLOSED)
          changed.add(channel)
          await settle()
        }
      } catch (error) {
        await leave(channel, listener)
        throw error
      }
      return { [Symbol.asyncDispose]: () => leave(channel, listener) }
    },

    async close() {
      closed = true
      clearTimeout(timer)
      listeners.clear()
      changed.clear()
      await settling?.catch(ignore)
      const last = client
      client = undefined
      if (!last) return
      keepAlive(last, true)
      const cutOff = setTimeout(() => last.connection.stream.destroy(), timeoutMs)
      await last.end().catch(ignore)
      clearTimeout(cutOff)
    },
  }
}

/** Whether an open connection keeps the process from ending: while it is used, and while anybody listens. */
function keepAlive(client: Client, keep: boolean): void {
  const connection = client as Client & { ref(): void; unref(): void }
  if (keep) connection.ref()
  else connection.unref()
}

function ignore(): void {}
