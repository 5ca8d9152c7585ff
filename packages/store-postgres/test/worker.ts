// A process of its own for processes.test.ts: it appends, listens, or is left without answers.
import { Namespace } from '@orra/core'
import { postgresStore } from '@orra/store-postgres'

const [job, url = '', schema = ''] = process.argv.slice(2)
const bob = Namespace.of('bob')
await using store = postgresStore(url, { schema, ...(job === 'silence' ? { timeoutMs: 300 } : {}) })

if (job === 'append') {
  const message = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
  await store.sessions.append(bob, [{ type: 'input', key: crypto.randomUUID(), message }])
} else if (job === 'listen') {
  const subscription = await store.notices.subscribe(bob, () => {})
  await subscription[Symbol.asyncDispose]()
} else if (job === 'silence') {
  await store.sessions.head(bob)
  const { retryable } = await store.notices.subscribe(bob, () => {}).catch((error) => error)
  process.stdout.write(`retryable: ${retryable}\n`)
}
