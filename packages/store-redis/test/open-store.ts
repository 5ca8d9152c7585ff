// How a process of its own opens the store of a test.
import type { Store } from '@orra/core'
import { redisStore } from '@orra/store-redis'

export default function open(argument: { readonly url: string; readonly prefix: string; readonly now: number }): Store {
  const { url, prefix, now } = argument
  return redisStore(url, { prefix, now: () => now })
}
