// A process of its own for processes.test.ts: it appends, or listens.
import { Namespace } from '@orra/core'
import { postgresStore } from '@orra/store-postgres'

const [job, url = '', schema = ''] = process.argv.slice(2)
const bob = Namespace.of('bob')
await using store = postgresStore(url, { schema })

if (job === 'append') {
  const message = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
  await store.sessions.append(bob, [{ type: 'input', key: crypto.randomUUID(), message }])
} else if (job === 'listen') {
  const subscription = await store.notices.subscribe(bob, () => {})
  await subscription[Symbol.asyncDispose]()
}
