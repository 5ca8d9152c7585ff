// A process of its own for processes.test.ts: it answers messages one after the other, or finishes what is open.
import { appendFileSync } from 'node:fs'
import { createRuntime, defineTool, Namespace, type Provider } from '@orra/core'
import { redisStore } from '@orra/store-redis'

const [job, url = '', prefix = '', effects = ''] = process.argv.slice(2)
const bob = Namespace.of('bob')
await using store = redisStore(url, { prefix })

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

const orra = createRuntime({ provider, store, tools: [effect], leaseTtlMs: 100 })
if (job === 'resume') await orra.resume(bob)
else for (;;) await orra.run(bob, 'Hello')
