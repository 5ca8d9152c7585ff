// A process of its own for processes.test.ts: it appends, listens, answers messages one after the other, or finishes what is open.
import { appendFileSync } from 'node:fs'
import { createRuntime, defineTool, Namespace, type Provider } from '@orra/core'
import { postgresStore } from '@orra/store-postgres'

const [job, url = '', schema = '', effects = ''] = process.argv.slice(2)
const bob = Namespace.of('bob')
await using store = postgresStore(url, { schema })

/** Lets the test count steps, and kill this process between any two of them. */
const step = () =>
  new Promise<void>((resolve) => {
    if (process.send) process.send('step', () => resolve())
    else resolve()
  })

const provider: Provider = {
  name: 'model',
  model: 'model-1',
  async *stream({ messages }) {
    await step()
    const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
    const calls = [1, 2].map(
      () => ({ type: 'tool-call', callId: crypto.randomUUID(), name: 'effect', input: {} }) as const,
    )
    const asked = messages.at(-1)?.role === 'user'
    const content = asked ? calls : [{ type: 'text', text: 'Done.' } as const]
    yield {
      type: 'finish',
      message: { role: 'assistant', content },
      stopReason: asked ? 'tool-calls' : 'stop',
      usage,
      model: 'model-1',
    }
  },
}
const effect = defineTool({
  name: 'effect',
  description: 'Leaves a trace.',
  async execute(_, { callId }) {
    appendFileSync(effects, `${callId}\n`)
    await step()
    return 'done'
  },
})

if (job === 'append') {
  const message = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
  await store.sessions.append(bob, [{ type: 'input', key: crypto.randomUUID(), message }])
} else if (job === 'listen') {
  const subscription = await store.notices.subscribe(bob, () => {})
  await subscription[Symbol.asyncDispose]()
} else {
  const orra = createRuntime({ provider, store, tools: [effect], leaseTtlMs: 100 })
  if (job === 'resume') await orra.resume(bob)
  else for (;;) await orra.run(bob, 'Hello')
}
