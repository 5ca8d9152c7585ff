import type { RedisConnection } from '@orra/store-redis'

/** What happens around each run of a script; they are counted from 1. What throws here is what the store sees. */
export interface Hooks {
  readonly before?: (call: number) => Promise<void> | void
  readonly after?: (call: number) => Promise<void> | void
}

/** A client with something in the way of its scripts. */
export interface HookedClient {
  readonly client: RedisConnection
  /** How many scripts were run. */
  calls(): number
}

/** Hooks of a process that dies before or after a call: nothing is said to Redis after that. */
export function dyingAt(last: number, when: 'before' | 'after'): Hooks {
  const die = () => {
    throw new Error('The process is dead.')
  }
  return {
    before: (call) => (call > last || (call === last && when === 'before') ? die() : undefined),
    after: (call) => (call === last ? die() : undefined),
  }
}

export function hookedClient(inner: RedisConnection, { before, after }: Hooks = {}): HookedClient {
  let calls = 0
  const hooked = (run: RedisConnection['eval']): RedisConnection['eval'] => {
    return async (script, options) => {
      calls += 1
      const call = calls
      await before?.(call)
      const reply = await run(script, options)
      await after?.(call)
      return reply
    }
  }
  const client: RedisConnection = {
    get isOpen() {
      return inner.isOpen
    },
    connect: () => inner.connect(),
    duplicate: () => inner.duplicate(),
    close: () => inner.close(),
    destroy: () => inner.destroy(),
    on: (event, listener) => inner.on(event, listener),
    off: (event, listener) => inner.off(event, listener),
    eval: (script, options) => inner.eval(script, options),
    evalSha: (sha, options) => inner.evalSha(sha, options),
    sPublish: (channel, message) => inner.sPublish(channel, message),
    sSubscribe: (channel, listener) => inner.sSubscribe(channel, listener),
    sUnsubscribe: (channel, listener) => inner.sUnsubscribe(channel, listener),
    withCommandOptions(options) {
      const plain = inner.withCommandOptions(options)
      return {
        eval: (script, call) => plain.eval(script, call),
        evalSha: hooked((sha, call) => plain.evalSha(sha, call)),
        sPublish: (channel, message) => plain.sPublish(channel, message),
      }
    },
  }
  return { client, calls: () => calls }
}
