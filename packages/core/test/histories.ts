import type { AssistantMessage, ContentPart, Entry, ToolResultPart, Usage } from '@orra/core'
import fc from 'fast-check'

// Random logs of sessions: all kinds of parts, giant results, parallel calls, ends of every kind, and, where they were
// imported or written by a store with a fault, calls without results and results without calls.

/** What one step of a turn leaves in the log. */
interface Step {
  readonly parts: readonly AssistantMessage['content'][number][]
  /** The results of its calls: each there, there twice, or lost. */
  readonly results: readonly { readonly fate: 'there' | 'twice' | 'lost'; readonly content: readonly ContentPart[] }[]
  readonly joined: readonly ContentPart[] | undefined
}

interface TurnPlan {
  readonly said: readonly ContentPart[]
  readonly steps: readonly Step[]
  readonly reason: 'completed' | 'aborted' | 'error' | 'max-turns'
  readonly pinned: boolean
}

const words = fc.constantFrom(
  'What now?',
  'Ça va très bien',
  'мне нужно это',
  '今日はいい天気',
  '👩‍👩‍👧‍👦 ok',
  'function f(a) { return a }',
  '{"a":[1,2]}',
)
/** Text of up to so many characters. */
const text = (most: number) =>
  fc.record({ word: words, length: fc.nat({ max: most }) }).map(({ word, length }) =>
    `${word} `
      .repeat(Math.max(1, Math.ceil(length / word.length)))
      .slice(0, Math.max(length, 3))
      .toWellFormed(),
  )
const image = fc.constant({ type: 'image', mediaType: 'image/png', data: 'aGk=' } as const)
const file = fc.constantFrom(
  { type: 'file', mediaType: 'application/pdf', url: 'https://example.com/a.pdf' } as const,
  { type: 'file', mediaType: 'text/plain', data: Buffer.from('Some lines. '.repeat(20)).toString('base64') } as const,
)
const textPart = (most: number) => text(most).map((value) => ({ type: 'text', text: value }) as const)
const said = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(textPart(200)) },
  { weight: 1, arbitrary: fc.tuple(textPart(50), fc.oneof(image, file)) },
)
const resultContent = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(textPart(300)) },
  { weight: 2, arbitrary: fc.tuple(textPart(6000)) },
  { weight: 1, arbitrary: fc.tuple(textPart(400), image) },
  { weight: 1, arbitrary: fc.constant([] as const) },
)
const parts = fc.record({
  thought: fc.option(text(400)),
  sealed: fc.boolean(),
  text: fc.option(
    fc.oneof(
      { weight: 8, arbitrary: text(600) },
      { weight: 1, arbitrary: text(4000) },
      { weight: 1, arbitrary: fc.constant(' ') },
    ),
  ),
  calls: fc.array(fc.record({ same: fc.boolean(), long: fc.boolean() }), { maxLength: 4 }),
})

const fate = fc.oneof(
  { weight: 12, arbitrary: fc.constant('there' as const) },
  { weight: 1, arbitrary: fc.constant('twice' as const) },
  { weight: 1, arbitrary: fc.constant('lost' as const) },
)

let ids = 0
const step: fc.Arbitrary<Step> = fc
  .record({
    parts,
    fates: fc.array(fate, { minLength: 4, maxLength: 4 }),
    results: fc.array(resultContent, { minLength: 4, maxLength: 4 }),
    joined: fc.option(said, { nil: undefined, freq: 8 }),
  })
  .map(({ parts: { thought, sealed, text: saidText, calls }, fates, results, joined }) => {
    const made: AssistantMessage['content'][number][] = []
    if (thought !== null)
      made.push({ type: 'reasoning', text: sealed ? '' : thought, providerData: { scripted: { signature: 's' } } })
    if (saidText !== null) made.push({ type: 'text', text: saidText })
    for (const { same, long } of calls) {
      const callId = same && ids > 0 ? `call-${ids}` : `call-${++ids}`
      made.push({
        type: 'tool-call',
        callId,
        name: 'look',
        input: long ? { body: 'many words '.repeat(300) } : { id: 1 },
      })
    }
    return {
      parts: made,
      results: calls.map((_, index) => ({ fate: fates[index] ?? 'there', content: results[index] ?? [] })),
      joined,
    }
  })

const turnPlan: fc.Arbitrary<TurnPlan> = fc.record({
  said,
  steps: fc.array(step, { maxLength: 5 }),
  reason: fc.constantFrom('completed', 'completed', 'aborted', 'error', 'max-turns'),
  pinned: fc.nat({ max: 9 }).map((chance) => chance === 0),
})

/** Logs of sessions in which a model is about to be called: the last run is open and its last message waits for an answer. */
export const histories = fc
  .record({ turns: fc.array(turnPlan, { maxLength: 7 }), last: turnPlan, compacted: fc.option(fc.nat({ max: 6 })) })
  .map(({ turns, last, compacted }) => {
    const entries: Entry[] = []
    const ends: number[] = []
    for (const plan of turns) {
      writeTurn(entries, plan)
      entries.push({ type: 'run-ended', runId: runIdOf(entries), reason: plan.reason, usage: NO_USAGE })
      ends.push(entries.length)
      if (compacted === ends.length - 1) entries.push(compactionOf(ends.length, entries))
    }
    writeTurn(entries, { ...last, steps: last.steps.filter(({ results }) => results.length > 0) })
    return entries
  })

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }

function runIdOf(entries: readonly Entry[]): string {
  return `run-${entries.filter(({ type }) => type === 'run-started').length}`
}

function compactionOf(turns: number, entries: readonly Entry[]): Entry {
  const messages = entries.filter(({ type }) => type === 'message').length
  const counts = { through: entries.length, after: 0, turns, messages }
  return { type: 'compaction', session: 's', ...counts, summary: 'They spoke of many things.', pins: [] }
}

function writeTurn(entries: Entry[], { said: content, steps, pinned }: TurnPlan): void {
  const input = `key-${entries.length}`
  entries.push({ type: 'input', key: input, message: { role: 'user', content } })
  entries.push({
    type: 'run-started',
    runId: `run-${entries.filter(({ type }) => type === 'run-started').length + 1}`,
    input,
  })
  entries.push({ type: 'message', message: { role: 'user', content }, input })
  if (pinned)
    entries.push({ type: 'message-pinned', session: 's', seq: entries.length, message: { role: 'user', content } })
  for (const { parts: made, results, joined } of steps) {
    entries.push({ type: 'message', message: { role: 'assistant', content: made }, stopReason: 'stop' })
    const calls = made.filter((part) => part.type === 'tool-call')
    for (const [index, { callId, name }] of calls.entries()) {
      const { fate: how = 'there', content: found = [] } = results[index] ?? {}
      const part: ToolResultPart = { type: 'tool-result', callId, name, content: found, isError: index % 3 === 2 }
      for (let times = { there: 1, twice: 2, lost: 0 }[how]; times > 0; times -= 1) {
        entries.push({ type: 'message', message: { role: 'tool', content: [part] } })
      }
    }
    if (joined) entries.push({ type: 'message', message: { role: 'user', content: joined } })
  }
}
