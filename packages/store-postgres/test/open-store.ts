// How a process of its own opens the store of a test.
import type { Store } from '@orra/core'
import { postgresStore } from '@orra/store-postgres'

export default function open(argument: { readonly url: string; readonly schema: string; readonly now: number }): Store {
  const { url, schema, now } = argument
  return postgresStore(url, { schema, now: () => now })
}
