// How another process opens the store that conformance.test.ts tries.
import { sqliteStore } from '@orra/store-sqlite'

export default ({ path, time }: { readonly path: string; readonly time: number }) =>
  sqliteStore(path, { now: () => time })
