// `pnpm bench:session`: what a turn costs around turn 100 of a session and around its ten-thousandth, and the ratio.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ContextStrategy, createRuntime, memoryStore, Namespace, type Provider, type Store } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'

const TURNS = 10_000
/** How many turns are measured together; medians of several such. */
const BATCH = 50
/** The batches that are compared: of turns 51 to 300, and of the last 250. */
const EARLY = [1, 6] as const
const LATE = [TURNS / BATCH - 5, TURNS / BATCH] as const
const bob = Namespace.of('bob')

/** What was done, so far or in a batch. */
interface Work {
  cpuMs: number
  storeCalls: number
  entriesRead: number
  bytesWritten: number
  charactersCounted: number
  messagesSent: number
}

const NOTHING: Work = {
  ...{ cpuMs: 0, storeCalls: 0, entriesRead: 0, bytesWritten: 0, charactersCounted: 0, messagesSent: 0 },
}

/** A model that answers at once and counts what it is sent. */
function model(work: Work): Provider {
  return {
    name: 'bench',
    model: 'bench-1',
    limits: { contextWindow: 16_000, maxOutputTokens: 2000 },
    async *stream({ messages, instructions = '' }) {
      work.messagesSent += messages.length
      const isSummary = instructions.includes('summary')
      const text = isSummary ? 'They spoke of the weather. '.repeat(20) : 'It will rain in the evening. '.repeat(6)
      const inputTokens = Math.ceil(JSON.stringify(messages).length / 4.5)
      const usage = { inputTokens, outputTokens: 40, cacheReadTokens: 0, cacheWriteTokens: 0 }
      const message = { role: 'assistant', content: [{ type: 'text', text }] } as const
      yield { type: 'finish', message, stopReason: 'stop', usage, model: 'bench-1' }
    },
  }
}

function watched(store: Store, work: Work): Store {
  return {
    ...store,
    sessions: {
      ...store.sessions,
      async append(namespace, entries, options) {
        work.storeCalls += 1
        work.bytesWritten += JSON.stringify(entries).length
        return await store.sessions.append(namespace, entries, options)
      },
      async read(namespace, options) {
        const read = await store.sessions.read(namespace, options)
        work.storeCalls += 1
        work.entriesRead += read.length
        return read
      },
    },
  }
}

async function batches(store: Store, strategies: readonly ContextStrategy[]): Promise<readonly Work[]> {
  const work = { ...NOTHING }
  const counter = {
    countText(text: string) {
      work.charactersCounted += text.length
      return Math.ceil(text.length / 4.5)
    },
  }
  await using orra = createRuntime({
    provider: model(work),
    store: watched(store, work),
    context: { strategies, counter },
  })
  const done: Work[] = []
  let before = { ...work }
  for (let turn = 1; turn <= TURNS; turn += 1) {
    await orra.run(bob, 'And what will the weather be like tomorrow, in the morning and later on? '.repeat(3))
    if (turn % BATCH > 0) continue
    const { user, system } = process.cpuUsage()
    work.cpuMs = (user + system) / 1000
    done.push(minus(work, before))
    before = { ...work }
  }
  return done
}

function minus(a: Work, b: Work): Work {
  const names = Object.keys(NOTHING) as (keyof Work)[]
  return Object.fromEntries(names.map((name) => [name, (a[name] - b[name]) / BATCH])) as unknown as Work
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

const DROP: readonly ContextStrategy[] = [{ type: 'clip-results' }, { type: 'drop-results' }]
const WAYS = { 'dropping turns': DROP, 'summing up': [...DROP, { type: 'compact' } as const] }
const folder = mkdtempSync(join(tmpdir(), 'orra-bench-'))
try {
  for (const [way, strategies] of Object.entries(WAYS)) {
    const stores = { memory: memoryStore(), sqlite: sqliteStore(join(folder, `${strategies.length}.db`)) }
    for (const [name, store] of Object.entries(stores)) {
      const done = await batches(store, strategies)
      await store[Symbol.asyncDispose]()
      const parts = (Object.keys(NOTHING) as (keyof Work)[]).map((part) => {
        // Counts come in steps, so their mean says more; time has outliers, so its median does.
        const middle = part === 'cpuMs' ? median : mean
        const [early, late] = [EARLY, LATE].map(([from, to]) =>
          middle(done.slice(from, to).map((batch) => batch[part])),
        )
        const ratio = (late ?? 0) / (early ?? 0)
        return `${part} ${(early ?? 0).toFixed(2)} → ${(late ?? 0).toFixed(2)}${ratio > 0 ? ` (${ratio.toFixed(2)})` : ''}`
      })
      console.log(`${way}, ${name}: a turn of turns 51–300 → of the last 250: ${parts.join(', ')}`)
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
