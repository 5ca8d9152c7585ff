import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStore } from '@orra/conformance'
import { sqliteStore } from '@orra/store-sqlite'

describeStore('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'orra-sqlite-'))
  let time = 1_700_000_000_000
  const open = () => sqliteStore(join(folder, 'orra.db'), { now: () => time })
  return {
    store: open(),
    reopen: async () => open(),
    advance: (ms) => {
      time += ms
    },
    dispose: () => rm(folder, { recursive: true }),
  }
})
