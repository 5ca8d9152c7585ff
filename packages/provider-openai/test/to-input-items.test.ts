import type { Message } from '@orra/core'
import { expect, it } from 'vitest'
import { toInputItems } from '../src/responses/to-input-items.ts'

it('a conversation of twenty thousand replies is made a request in a time that grows with it', () => {
  const messages = Array.from({ length: 20_000 }, (_, index): readonly Message[] => [
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'Ho', providerData: { openai: { id: `msg_${index}`, model: 'gpt-5.2', items: 1 } } },
      ],
    },
  ]).flat()
  const items = toInputItems(messages, 'gpt-5.2')
  expect(items.filter((item) => 'id' in item)).toHaveLength(20_000)
}, 5_000)
