import type { CrashApp, CrashAppOptions } from '@orra/conformance'
import { defineTool, Namespace, type Provider } from '@orra/core'

export const bob = Namespace.of('user', 'bob')

/** Pays, and looks at the same time, when it is asked to; else it says thanks. What it says depends on nothing but the conversation. */
export const provider: Provider = {
  name: 'scripted',
  model: 'scripted-1',
  async *stream({ messages }) {
    const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
    const call = (name: string) => ({ type: 'tool-call', callId: crypto.randomUUID(), name, input: {} }) as const
    const isAsked = messages.at(-1)?.role === 'user' && messages.length === 1
    const text = { type: 'text', text: 'Thanks.' } as const
    yield { type: 'text-delta', text: 'Th' }
    yield {
      type: 'finish',
      message: { role: 'assistant', content: isAsked ? [call('pay'), call('look')] : [text] },
      stopReason: isAsked ? 'tool-calls' : 'stop',
      usage,
      model: 'scripted-1',
    }
  },
}

export const options: CrashAppOptions = {
  provider,
  tools: [
    defineTool({
      name: 'pay',
      description: 'Pays.',
      async execute(_, { progress }) {
        await Promise.resolve()
        progress('halfway')
        return 'paid'
      },
    }),
    defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'seen' }),
  ],
}

/** Two messages of one user, one with tools; nothing is wrong with it but perhaps its store. */
export function smallBot(openStore: CrashApp['openStore']): CrashApp {
  return {
    openStore,
    options: () => options,
    async converse(orra) {
      await orra.run(bob, 'Pay.', { key: 'pay' })
      await orra.submit(bob, 'Thank you.', { key: 'thanks' })
    },
  }
}
