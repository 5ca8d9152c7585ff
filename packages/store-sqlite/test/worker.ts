// A process of its own for processes.test.ts: it appends.
import { Namespace } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'

const message = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
await using store = sqliteStore(process.argv[2] ?? '')
await store.sessions.append(Namespace.of('bob'), [{ type: 'input', key: crypto.randomUUID(), message }])
