import { type Entry, emptyHead, Namespace, type SessionHead } from '@orra/core'
import { expect, it } from 'vitest'
import { logProblems } from './log-problems.ts'
import { callName } from './sub-agents.ts'

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

/** At 5, of the call at 4. */
const asked = {
  type: 'approval-requested',
  request: {
    ...{ namespace: 'bob', runId: 'run', callId: 'call', tool: 'look', input: {}, inputHash: 'hash' },
    ...{ level: 'always', rule: 'the tool look', requestedAt: 0, expiresAt: 1000 },
  },
} as const satisfies Entry
const approved = { type: 'approval-decided', callId: 'call', asked: 5, approved: true } as const satisfies Entry
const refused = { ...approved, approved: false }
const begins = { type: 'tool-started', callId: 'call' } as const satisfies Entry
const suspended = { type: 'run-suspended', runId: 'run', seen: 4 } as const satisfies Entry
const woken = { type: 'call-woken', runId: 'run', callId: 'call' } as const satisfies Entry
const called4 = [input, begun, taken, called] as const
const asked5 = [...called4, asked] as const

/** Through 5, the end of the run of `whole5`. */
const summary = {
  ...{ type: 'compaction', session: 'session', through: 5, after: 0, summary: 'A greeting.', turns: 1, messages: 2 },
  pins: [],
} as const satisfies Entry
const answered = { type: 'message', message: { role: 'assistant', content: [] } } as const satisfies Entry
const pin = { seq: 3, message: user } as const
const pinned = { type: 'message-pinned', session: 'session', ...pin } as const satisfies Entry
const unpinned = { type: 'message-unpinned', session: 'session', seq: 3 } as const satisfies Entry
const whole5 = [input, begun, taken, answered, ended] as const

interface Log {
  readonly entries: readonly Entry[]
  readonly compaction?: SessionHead['compaction']
  readonly inbox?: readonly string[]
  readonly isOpen?: boolean
  readonly openRun?: Partial<SessionHead['openRun']>
  readonly gap?: number
  /** The call began a sub-agent. */
  readonly spawns?: boolean
}

function problemsIn({ entries, inbox = [], openRun, isOpen = openRun !== undefined, ...rest }: Log) {
  const { gap = 0, spawns = false, compaction } = rest
  const summed = compaction ? { compaction } : {}
  const head = { ...emptyHead(Namespace.of('bob'), 0), length: entries.length, inbox, ...summed }
  const logged = entries.map((entry, index) => ({ seq: index + 1 + (index > 0 ? gap : 0), at: 0, entry }))
  const open = { runId: 'run', input: 'one', seq: 2, ...openRun }
  const spawning = new Set(spawns ? [callName({ runId: 'run', callId: 'call' })] : [])
  return logProblems({ head: isOpen ? { ...head, openRun: open } : head, entries: logged }, spawning)
}

it('a log that is in order has no problem', () => {
  expect(problemsIn({ entries: [input, begun, taken, called, result, ended] })).toEqual([])
  expect(problemsIn({ entries: [input, { type: 'input-withdrawn', input: 'one' }] })).toEqual([])
})

it.each<readonly [string, Log]>([
  ['approved', { entries: [...asked5, approved, begins, result, ended] }],
  ['refused', { entries: [...asked5, refused, result, ended] }],
  ['suspended, then approved', { entries: [...asked5, suspended, approved, begins, result, ended] }],
  ['that began a sub-agent', { entries: [...called4, begins, suspended, woken, result, ended], spawns: true }],
  [
    'that still waits for somebody',
    {
      entries: [...asked5, suspended, { ...input, key: 'two' }],
      inbox: ['two'],
      openRun: { approvals: [{ callId: 'call', seq: 5, expiresAt: 1000 }], suspended: true },
    },
  ],
])('a call %s has no problem', (_, log) => {
  expect(problemsIn(log)).toEqual([])
})

it.each<readonly [string, Log]>([
  ['of a whole run', { entries: [...whole5, summary], compaction: { seq: 6, through: 5 } }],
  [
    'after which what it stands for is pinned',
    { entries: [...whole5, summary, pinned], compaction: { seq: 6, through: 5 } },
  ],
  [
    'that was begun before what it stands for was pinned',
    { entries: [...whole5, pinned, summary], compaction: { seq: 7, through: 5 } },
  ],
  [
    'of what was pinned, and let go while it was written',
    {
      entries: [input, begun, taken, answered, pinned, ended, unpinned, { ...summary, through: 6, pins: [pin] }],
      compaction: { seq: 8, through: 6 },
    },
  ],
])('a summary %s has no problem', (_, log) => {
  expect(problemsIn(log)).toEqual([])
})

it.each<readonly [string, Log, string]>([
  ['a summary of a run that is open', { entries: [input, begun, taken, summary] }, 'does not end with a run'],
  ['a summary twice', { entries: [...whole5, summary, summary] }, 'does not follow the one before'],
  ['a summary that miscounts', { entries: [...whole5, { ...summary, messages: 3 }] }, 'miscounts what it stands for'],
  [
    'a summary that forgets what was pinned',
    { entries: [input, begun, taken, answered, pinned, ended, { ...summary, through: 6 }] },
    'does not say what is pinned',
  ],
  [
    'a summary that pins something else',
    { entries: [...whole5, pinned, { ...summary, pins: [{ ...pin, message: answered.message }] }] },
    'does not say what is pinned',
  ],
  ['something that is pinned and was not said', { entries: [...whole5, { ...pinned, seq: 4 }] }, 'that is not there'],
  ['a head that forgot its summary', { entries: [...whole5, summary] }, 'its head does not say'],
  ['a tool that nobody approved', { entries: [...asked5, begins, result, ended] }, 'begins that nobody has approved'],
  [
    'a tool that was refused',
    { entries: [...asked5, refused, begins, result, ended] },
    'begins that nobody has approved',
  ],
  ['a request without a call', { entries: [input, begun, taken, asked, ended] }, 'is asked for without an open call'],
  ['a request twice', { entries: [...asked5, asked, approved, result, ended] }, 'is asked for twice'],
  ['a decision without a request', { entries: [...called4, approved, result, ended] }, 'decided that nobody has asked'],
  [
    'a decision of another request',
    { entries: [...asked5, { ...approved, asked: 4 }, result, ended] },
    'decided that nobody has asked',
  ],
  ['a decision after the result', { entries: [...asked5, result, approved, ended] }, 'decided that nobody has asked'],
  ['two decisions', { entries: [...asked5, approved, refused, result, ended] }, 'is decided twice'],
  [
    'a suspension of nothing that waits',
    { entries: [...called4, begins, suspended, woken, result, ended] },
    'suspended and waits for nothing',
  ],
  [
    'a suspension after a decision',
    { entries: [...asked5, approved, suspended, woken, result, ended] },
    'suspended after something has come',
  ],
  [
    'a suspension after a sub-agent’s answer',
    { entries: [...called4, woken, suspended, woken, result, ended], spawns: true },
    'suspended after something has come',
  ],
  ['a suspension twice', { entries: [...asked5, suspended, suspended, refused, result, ended] }, 'that is suspended'],
  ['a suspension of no run', { entries: [suspended] }, 'a run is suspended that is not open'],
  ['the answer of a sub-agent to no run', { entries: [woken] }, 'is woken and its run is not open'],
  [
    'a limit without a name',
    { entries: [input, begun, taken, { ...ended, reason: 'limit' }] },
    'ended by a limit and does not say which',
  ],
  ['a head that forgot what waits', { entries: asked5, isOpen: true }, 'its head does not say'],
  [
    'a head that waits for what was decided',
    {
      entries: [...asked5, approved],
      openRun: { approvals: [{ callId: 'call', seq: 5, expiresAt: 1000 }], wokenAt: 6 },
    },
    'its head does not say',
  ],
  [
    'a head that is suspended though something came',
    { entries: [...asked5, suspended, refused], openRun: { wokenAt: 7, suspended: true } },
    'its head does not say',
  ],
  [
    'a head that is suspended though its run went on',
    { entries: [...asked5, suspended, result], openRun: { suspended: true } },
    'its head does not say',
  ],
  [
    'a run that was woken and is open',
    { entries: [...asked5, suspended, refused], openRun: { wokenAt: 7 } },
    'is open for ever',
  ],
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
