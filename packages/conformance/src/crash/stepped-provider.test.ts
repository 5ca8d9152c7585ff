import type { Message } from '@orra/core'
import { expect, it } from 'vitest'
import { scriptedProvider } from '../scripted-provider.ts'
import type { Witnessed } from './journal.ts'
import { steppedProvider } from './stepped-provider.ts'
import { countSteps } from './steps.ts'

const user: Message = { role: 'user', content: [{ type: 'text', text: 'Hello' }] }
const call: Message = {
  role: 'assistant',
  content: [{ type: 'tool-call', callId: 'call', name: 'look', input: {} }],
}
const result: Message = {
  role: 'tool',
  content: [{ type: 'tool-result', callId: 'call', name: 'look', content: [] }],
}

it.each<readonly [string, readonly Message[], readonly string[]]>([
  ['a legal request', [user, call, result], []],
  ['no user', [call, result], ['it does not begin with a user message']],
  ['a result too late', [user, call, user, result], ['a message of the user comes before the result of a call']],
  ['a result without its call', [user, result], ['a result has no call']],
  ['an open call', [user, call], ['it ends with calls that have no result']],
])('witnesses what is wrong with %s', async (_, messages, problems) => {
  const witnessed: Witnessed[] = []
  const steps = countSteps(undefined)
  const provider = steppedProvider(scriptedProvider(['Two words.']), steps, { write: (seen) => witnessed.push(seen) })
  for await (const _event of provider.stream({ messages, tools: [] }));
  expect(witnessed).toEqual(problems.map((problem) => ({ type: 'illegal-request', problem })))
  expect(steps.passed).toEqual([
    'before model call #1',
    'in the middle of model call #1',
    'at the end of model call #1',
  ])
})
