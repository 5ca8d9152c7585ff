// A process of its own for processes.test.ts: it appends, or writes whatever there is to be written.
import { Namespace } from '@orra/core'
import { fileStore } from '@orra/store-file'

const [job, path = ''] = process.argv.slice(2)
const bob = Namespace.of('bob')
const store = fileStore(path)

/** Lets the test count steps, and kill this process between any two of them. */
const step = (message: object | string = 'step') =>
  new Promise<void>((resolve) => {
    if (process.send) process.send(message, () => resolve())
    else resolve()
  })

if (job === 'append') {
  const message = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
  await store.sessions.append(bob, [{ type: 'input', key: crypto.randomUUID(), message }])
} else if (job === 'write') {
  for (;;) {
    const key = crypto.randomUUID()
    const message = { role: 'user', content: [{ type: 'text', text: 'x'.repeat(Math.random() * 20_000) }] } as const
    const { seqs } = await store.sessions.append(bob, [{ type: 'input', key, message }])
    await store.records.put({ collection: 'written', namespace: bob, id: key }, { text: 'x'.repeat(1000) })
    const asked = await store.counters.reserve([{ namespace: bob, counter: 'writes', window: 'all', amount: 1 }], {
      ttlMs: 0,
    })
    if (asked.granted) await store.counters.settle(asked.id, [1])
    await step({ key, seq: seqs[0] ?? 0 })
  }
}
