import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeStore } from '@orra/conformance'
import type { Store } from '@orra/core'
import { afterAll } from 'vitest'
import { root, snippetsOf } from './markdown.ts'

// The store of docs/write-a-store.md, as it stands there.
const folder = await mkdtemp(join(root, 'test', '.scratch-'))
const [shown] = (await snippetsOf('docs/write-a-store.md')).filter(({ name }) => name === 'a whole store')
const module = join(folder, 'store.ts')
await writeFile(module, shown?.code ?? 'throw new Error("It is gone.")')
const { jsonFileStore } = (await import(module)) as { jsonFileStore: (path: string, now: () => number) => Store }

afterAll(() => rm(folder, { recursive: true }))

let stores = 0
describeStore('the store of the documents', async () => {
  const path = join(folder, `${++stores}.json`)
  let time = 1_700_000_000_000
  const open = () => jsonFileStore(path, () => time)
  return {
    store: open(),
    reopen: async () => open(),
    advance: (ms) => {
      time += ms
    },
    processes: { none: 'it is for one process' },
  }
})
