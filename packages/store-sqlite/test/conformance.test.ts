import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStore } from '@orra/conformance'
import { sqliteStore } from '@orra/store-sqlite'

describeStore('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'orra-sqlite-'))
  const path = join(folder, 'orra.db')
  let time = 1_700_000_000_000
  const open = () => sqliteStore(path, { now: () => time })
  return {
    store: open(),
    reopen: async () => open(),
    advance: (ms) => {
      time += ms
    },
    dispose: () => rm(folder, { recursive: true }),
    processes: { module: new URL('./conformance-store.ts', import.meta.url), argument: { path, time } },
  }
})
