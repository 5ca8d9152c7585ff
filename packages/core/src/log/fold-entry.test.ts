import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { advance } from '../loop/advance.ts'
import type { AssistantMessage, Message, ToolMessage, UserMessage } from '../message.ts'
import { NO_USAGE } from '../provider.ts'
import type { Entry } from '../store/entry.ts'
import { type Conversation, emptyConversation } from './conversation.ts'
import { foldEntry } from './fold-entry.ts'

const hello: UserMessage = { role: 'user', content: [{ type: 'text', text: 'Hello' }] }
const answer: AssistantMessage = { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] }
const calls = (...callIds: string[]): AssistantMessage => ({
  role: 'assistant',
  content: callIds.map((callId) => ({ type: 'tool-call', callId, name: 'look', input: {} })),
})
const result = (callId: string): ToolMessage => ({
  role: 'tool',
  content: [{ type: 'tool-result', callId, name: 'look', content: [{ type: 'text', text: 'seen' }] }],
})

const input = (key = 'one', settings?: object): Entry => ({
  type: 'input',
  key,
  message: hello,
  ...(settings ? { settings } : {}),
})
const say = (message: Message, more: object = {}): Entry => ({ type: 'message', message, ...more }) as Entry
const begin = (key = 'one'): readonly Entry[] => [
  { type: 'run-started', runId: `run-${key}`, input: key },
  say(hello, { input: key }),
]
const withdraw = (key: string): Entry => ({ type: 'input-withdrawn', input: key })
const end = (key = 'one'): Entry => ({
  type: 'run-ended',
  runId: `run-${key}`,
  reason: 'completed',
  usage: NO_USAGE,
})

function foldAll(entries: readonly Entry[], onto: Conversation = emptyConversation()): Conversation {
  for (const entry of entries) foldEntry(onto, onto.length + 1, entry)
  return onto
}

describe('what a call was measured at', () => {
  const context = { estimatedTokens: 100, budgetTokens: 1000, from: 1 }
  const usage = { ...NO_USAGE, inputTokens: 250 }
  it.each([
    ['what the provider says', {}, 250],
    ['what the provider says that was asked', { askedProvider: 'a' }, 250],
    ['what the provider says that was asked, and is named', { askedProvider: 'a', provider: 'a' }, 250],
    ['the estimate, where another one has answered', { askedProvider: 'a', provider: 'b' }, 100],
  ])('is %s', (_, who, sentTokens) => {
    const reply = say(answer, { usage, context, model: 'm', asked: 'n', ...who })
    expect(foldAll([input(), ...begin(), reply]).calls.get('n')).toMatchObject({ model: 'n', context, sentTokens })
  })
})

describe('advance', () => {
  const open = [input(), ...begin()]
  const few = (maxTurns: number, ...rest: readonly Entry[]) => [input('one', { maxTurns }), ...begin(), ...rest]
  const table: readonly (readonly [string, readonly Entry[], object])[] = [
    ['an empty log', [], { type: 'rest' }],
    ['metadata alone', [{ type: 'metadata', set: { title: 'T' } }], { type: 'rest' }],
    ['an accepted input', [input()], { type: 'start-run', input: 'one' }],
    ['two accepted inputs: the older', [input('one'), input('two')], { type: 'start-run', input: 'one' }],
    ['a withdrawn input', [input(), withdraw('one')], { type: 'rest' }],
    [
      'a withdrawn input before another',
      [input('one'), input('two'), withdraw('one')],
      { type: 'start-run', input: 'two' },
    ],
    ['a run that has begun', open, { type: 'call-model' }],
    ['a run during which another input came', [...open, input('two')], { type: 'call-model' }],
    ['a run whose input was withdrawn', [...open, withdraw('one')], { type: 'end-run', reason: 'aborted' }],
    [
      'open calls of a withdrawn input',
      [...open, say(calls('a')), withdraw('one')],
      { type: 'end-run', reason: 'aborted' },
    ],
    ['a run during which another was withdrawn', [...open, input('two'), withdraw('two')], { type: 'call-model' }],
    ['an answer', [...open, say(answer, { stopReason: 'stop' })], { type: 'end-run', reason: 'completed' }],
    ['an empty answer', [...open, say({ role: 'assistant', content: [] })], { type: 'end-run', reason: 'completed' }],
    ['an answer cut off', [...open, say(answer, { stopReason: 'length' })], { type: 'end-run', reason: 'length' }],
    ['a refusal', [...open, say(answer, { stopReason: 'refused' })], { type: 'end-run', reason: 'refused' }],
    ['a tool call', [...open, say(calls('a'))], openCalls(['a', false])],
    ['two tool calls', [...open, say(calls('a', 'b'))], openCalls(['a', false], ['b', false])],
    ['one of two results', [...open, say(calls('a', 'b')), say(result('b'))], openCalls(['a', false])],
    [
      'a tool that has begun',
      [...open, say(calls('a', 'b')), { type: 'tool-started', callId: 'b' }],
      openCalls(['a', false], ['b', true]),
    ],
    ['all results', [...open, say(calls('a', 'b')), say(result('b')), say(result('a'))], { type: 'call-model' }],
    [
      'results and an answer',
      [...open, say(calls('a')), say(result('a')), say(answer)],
      { type: 'end-run', reason: 'completed' },
    ],
    ['a message that joined the run after the answer', [...open, say(answer), say(hello)], { type: 'call-model' }],
    ['an ended run', [...open, say(answer), end()], { type: 'rest' }],
    ['an ended run and an input', [...open, say(answer), end(), input('two')], { type: 'start-run', input: 'two' }],
    [
      'as many model calls as allowed',
      few(1, say(calls('a')), say(result('a'))),
      { type: 'end-run', reason: 'max-turns' },
    ],
    ['open calls of the last model call allowed', few(1, say(calls('a'))), openCalls(['a', false])],
    ['one model call fewer than allowed', few(2, say(calls('a')), say(result('a'))), { type: 'call-model' }],
    [
      'a new run after one with many calls',
      [...few(1, say(calls('a')), end()), input('two', { maxTurns: 1 }), ...begin('two')],
      { type: 'call-model' },
    ],
  ]

  it.each(table)('after %s', (_, log, step) => {
    expect(advance(foldAll(log))).toEqual(step)
  })

  function openCalls(...open: readonly (readonly [string, boolean])[]) {
    return {
      type: 'call-tools',
      calls: open.map(([callId, started]) => ({
        call: { type: 'tool-call', callId, name: 'look', input: {} },
        seq: 4,
        started,
      })),
    }
  }
})

describe('the fold', () => {
  const key = fc.constantFrom('one', 'two', 'three')
  const callId = fc.constantFrom('a', 'b', 'c')
  const entry = fc.oneof(
    key.map((name) => input(name)),
    key.map(withdraw),
    key.map((name): Entry => ({ type: 'run-started', runId: `run-${name}`, input: name })),
    key.map((name) => say(hello, { input: name })),
    fc.subarray(['a', 'b', 'c']).map((ids) => say(calls(...ids))),
    callId.map((id) => say(result(id))),
    callId.map((id): Entry => ({ type: 'tool-started', callId: id })),
    fc.constant(say(answer, { usage: { ...NO_USAGE, inputTokens: 3 } })),
    key.map((name) => end(name)),
    fc.constant<Entry>({ type: 'metadata', set: { title: 'T' } }),
  )
  const log = fc.array(entry, { maxLength: 40 })

  it('of a beginning and then of the rest is that of the whole', () => {
    fc.assert(
      fc.property(log, fc.nat(40), (entries, cut) => {
        const inTwo = foldAll(entries.slice(cut), foldAll(entries.slice(0, cut)))
        expect(inTwo).toEqual(foldAll(entries))
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps every message, in order and with its place, in turns', () => {
    fc.assert(
      fc.property(log, (entries) => {
        const { turns, length } = foldAll(entries)
        const messages = entries.flatMap((logged, index) =>
          logged.type === 'message' ? [{ seq: index + 1, message: logged.message }] : [],
        )
        expect(turns.flatMap((turn) => turn.messages)).toEqual(messages)
        expect(length).toBe(entries.length)
      }),
      { numRuns: 1000 },
    )
  })

  it('holds no more of what no model is sent than a few hundred turns, and counts what it forgets', () => {
    const conversation = emptyConversation()
    const usage = { inputTokens: 9, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
    let seq = 0
    const add = (entry: Entry) => {
      seq += 1
      foldEntry(conversation, seq, entry)
    }
    for (let turn = 0; turn < 3000; turn += 1) {
      const key = `k${turn}`
      const said = { role: 'user', content: [{ type: 'text', text: 'Hi' }] } as const
      add({ type: 'input', key, message: said })
      add({ type: 'run-started', runId: key, input: key })
      add({ type: 'message', message: said, input: key })
      const context = { estimatedTokens: 9, budgetTokens: 99, from: Math.max(1, seq - 20) }
      const answer = { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] } as const
      add({ type: 'message', message: answer, model: `m${turn}`, usage, context })
      add({ type: 'run-ended', runId: key, reason: 'completed', usage })
    }
    expect(conversation.turns.length).toBeLessThan(600)
    expect(conversation.turns.length + conversation.forgottenTurns).toBe(3000)
    expect(conversation.calls.size).toBeLessThan(30)
    expect(conversation.messages).toBe(6000)
  })

  it('does not change the entries', () => {
    fc.assert(
      fc.property(log, (entries) => {
        const before = JSON.stringify(entries)
        foldAll(entries)
        expect(JSON.stringify(entries)).toBe(before)
      }),
    )
  })
})
