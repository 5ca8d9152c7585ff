import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStore } from '@orra/conformance'
import { fileStore } from '@orra/store-file'

describeStore('file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'orra-file-'))
  let time = 1_700_000_000_000
  const open = () => fileStore(folder, { now: () => time })
  return {
    store: open(),
    reopen: async () => open(),
    advance: (ms) => {
      time += ms
    },
    dispose: () => rm(folder, { recursive: true }),
    processes: { module: join(import.meta.dirname, 'open-store.ts'), argument: folder },
  }
})
