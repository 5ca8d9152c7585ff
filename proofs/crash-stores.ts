import { join } from 'node:path'
import type { Store } from '@orra/core'

/** Where a store of `pnpm crash` is: which one, at what folder or URL, and its part of a server that it shares. */
export interface StorePlace {
  readonly name: string
  readonly at: string
  readonly part: string
}

/** Every durable store. Only the package that is asked for is loaded, for every process begins with it. */
export const OPEN: { readonly [name: string]: (place: StorePlace) => Promise<Store> } = {
  sqlite: async ({ at }) => (await import('@orra/store-sqlite')).sqliteStore(join(at, 'orra.db')),
  file: async ({ at }) => (await import('@orra/store-file')).fileStore(at),
  postgres: async ({ at, part }) => (await import('@orra/store-postgres')).postgresStore(at, { schema: part }),
  redis: async ({ at, part }) => (await import('@orra/store-redis')).redisStore(at, { prefix: part }),
}

export async function openPlace(text: string): Promise<Store> {
  const place = JSON.parse(text) as StorePlace
  const open = OPEN[place.name]
  if (!open) throw new Error(`There is no store "${place.name}" here; give some of ${Object.keys(OPEN).join(', ')}.`)
  return open(place)
}
