import type { AssistantMessage, Message, ToolSpec } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toAnthropicRequest } from '../src/to-anthropic-request.ts'
import { type CachedCall, promptCache } from './prompt-cache.ts'

/** What one turn of a conversation is made of. */
interface TurnShape {
  /** How many parts the user's message has. */
  readonly parts: number
  /** How many calls each step makes at once. */
  readonly steps: readonly number[]
  /** The last call of the turn fails, and nothing is answered. */
  readonly fails: boolean
}

const tools: readonly ToolSpec[] = [
  { name: 'look', description: 'Looks.', inputSchema: { type: 'object' } },
  { name: 'move', description: 'Moves.', inputSchema: { type: 'object' } },
]
const defaults = { model: 'm', maxOutputTokens: 100, promptCaching: true }
const thought = { type: 'reasoning', text: 'Hm.', providerData: { anthropic: { signature: 's' } } } as const
const text = (words: string) => ({ type: 'text', text: words }) as const
const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))

/** Plays a conversation, and tells of every call of the model what the cache did for it. */
function play(turns: readonly TurnShape[], { forgetsThinking = false, instructions = 'Be brief.' } = {}) {
  const cache = promptCache({ forgetsThinking })
  const messages: Message[] = []
  const calls: CachedCall[] = []
  const ask = () => {
    calls.push(cache(toAnthropicRequest({ messages: [...messages], tools, instructions }, defaults)))
  }
  for (const [turn, { parts, steps, fails }] of turns.entries()) {
    messages.push({ role: 'user', content: times(parts, (part) => text(`${turn}, ${part}`)) })
    for (const [step, count] of steps.entries()) {
      ask()
      const ids = times(count, (index) => `call-${turn}-${step}-${index}`)
      const content: AssistantMessage['content'] = [
        thought,
        ...ids.map((callId) => ({ type: 'tool-call', callId, name: 'look', input: {} }) as const),
      ]
      messages.push({ role: 'assistant', content })
      for (const callId of ids) {
        const result = { type: 'tool-result', callId, name: 'look', content: [text(callId)] } as const
        messages.push({ role: 'tool', content: [result] })
      }
    }
    ask()
    if (!fails) messages.push({ role: 'assistant', content: [thought, text('Done.')] })
  }
  return calls
}

const rateOf = (calls: readonly CachedCall[]) =>
  calls.reduce((sum, { read }) => sum + read, 0) / calls.reduce((sum, { sent }) => sum + sent, 0)

const conversations = fc.array(
  fc.record({
    parts: fc.integer({ min: 1, max: 15 }),
    steps: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }),
    fails: fc.nat({ max: 4 }).map((luck) => luck === 0),
  }),
  { minLength: 1, maxLength: 6 },
)

describe('the cache of prompts', () => {
  it('gives back to every call all that the call before sent, whatever was added since', () => {
    fc.assert(
      fc.property(conversations, fc.constantFrom('', 'Be brief.'), (turns, instructions) => {
        const calls = play(turns, { instructions })
        for (const [index, { read }] of calls.entries()) expect(read).toBe(calls[index - 1]?.sent ?? 0)
      }),
      { numRuns: 100 },
    )
  })

  it('gives back what came before a turn when the model forgets what it thought in it', () => {
    fc.assert(
      fc.property(conversations, (turns) => {
        const calls = play(turns, { forgetsThinking: true })
        for (const [index, { read }] of calls.entries())
          expect(read).toBeGreaterThanOrEqual(calls[index - 1]?.spoken ?? 0)
      }),
      { numRuns: 100 },
    )
  })

  it.each([
    ['a chat', { parts: 1, steps: [], fails: false }, 0.9, 0.9],
    ['short runs', { parts: 1, steps: [1, 1], fails: false }, 0.96, 0.93],
    ['runs of many steps', { parts: 1, steps: times(15, () => 1), fails: false }, 0.99, 0.98],
    ['runs of many calls at once', { parts: 1, steps: [30, 30], fails: false }, 0.96, 0.93],
    ['messages of many parts', { parts: 40, steps: [2], fails: false }, 0.95, 0.94],
  ] as const)('over twenty turns is hit for most of what is sent: %s', (_, shape, rate, forgetful) => {
    const turns = times(20, () => shape)
    const rates = [rateOf(play(turns)), rateOf(play(turns, { forgetsThinking: true }))]
    expect(rates[0]).toBeGreaterThan(rate)
    expect(rates[1]).toBeGreaterThan(forgetful)
  })

  it('is shared between sessions with other instructions, as far as the tools', () => {
    const cache = promptCache()
    const calls = ['Be brief.', 'Be kind.'].map((instructions) =>
      cache(toAnthropicRequest({ messages: [{ role: 'user', content: [text('Hi')] }], tools, instructions }, defaults)),
    )
    expect(calls.map(({ read }) => read)).toEqual([0, tools.length])
  })
})
