import { type Entry, emptyHead, Namespace } from '@orra/core'
import { expect, it } from 'vitest'
import { logProblems } from './log-problems.ts'

const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
const user = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
const input = { type: 'input', key: 'one', message: user } as const satisfies Entry
const begun = { type: 'run-started', runId: 'run', input: 'one' } as const satisfies Entry
const taken = { type: 'message', message: user, input: 'one' } as const satisfies Entry
const ended = { type: 'run-ended', runId: 'run', reason: 'completed', usage } as const satisfies Entry
const called = {
  type: 'message',
  message: { role: 'assistant', content: [{ type: 'tool-call', callId: 'call', name: 'look', input: {} }] },
} as const satisfies Entry
const result = {
  type: 'message',
  message: { role: 'tool', content: [{ type: 'tool-result', callId: 'call', name: 'look', content: [] }] },
} as const satisfies Entry

interface Log {
  readonly entries: readonly Entry[]
  readonly inbox?: readonly string[]
  readonly isOpen?: boolean
  readonly gap?: number
}

function problemsIn({ entries, inbox = [], isOpen = false, gap = 0 }: Log) {
  const head = { ...emptyHead(Namespace.of('bob'), 0), length: entries.length, inbox }
  const logged = entries.map((entry, index) => ({ seq: index + 1 + (index > 0 ? gap : 0), at: 0, entry }))
  const openRun = { runId: 'run', input: 'one', seq: 2 }
  return logProblems({ head: isOpen ? { ...head, openRun } : head, entries: logged })
}

it('a log that is in order has no problem', () => {
  expect(problemsIn({ entries: [input, begun, taken, called, result, ended] })).toEqual([])
  expect(problemsIn({ entries: [input, { type: 'input-withdrawn', input: 'one' }] })).toEqual([])
})

it.each<readonly [string, Log, string]>([
  ['a gap', { entries: [input, begun, taken, ended], gap: 1 }, 'entry 2 has the place 3'],
  ['an input twice', { entries: [input, begun, taken, input, ended] }, 'the input "one" is there twice'],
  ['an input taken twice', { entries: [input, begun, taken, taken, ended] }, 'is taken and does not wait'],
  ['a run that took nothing', { entries: [input, begun, ended], inbox: ['one'] }, 'has not taken it'],
  ['a run within a run', { entries: [input, begun, taken, begun, ended] }, 'a run begins within a run'],
  ['the end of no run', { entries: [input, begun, taken, ended, ended] }, 'a run ends that is not open'],
  ['a call without a result', { entries: [input, begun, taken, called, ended] }, 'before the results of its calls'],
  ['a result without a call', { entries: [input, begun, taken, result, ended] }, 'a result has no open call'],
  [
    'a message before results',
    { entries: [input, begun, taken, called, called, result, ended] },
    'comes before the results',
  ],
  ['a message outside of a run', { entries: [input, taken] }, 'stands outside of a run'],
  [
    'a tool without a call',
    { entries: [input, begun, taken, { type: 'tool-started', callId: 'call' }, ended] },
    'without an open call',
  ],
  ['a head that is not its log’s', { entries: [input, begun, taken, ended], inbox: ['two'] }, 'its head does not say'],
  ['an input that waits', { entries: [input], inbox: ['one'] }, 'waits for ever'],
  ['a run that is open', { entries: [input, begun, taken], isOpen: true }, 'is open for ever'],
])('finds %s', (_, log, problem) => {
  expect(
    problemsIn(log)
      .map((found) => found.problem)
      .join('\n'),
  ).toContain(problem)
})
