import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CompileOptions, compile } from '../src/context/compile.ts'
import { type ContextRules, contextRules } from '../src/context/context-rules.ts'
import type { ContextStrategy } from '../src/context/context-strategy.ts'
import { requestTokens } from '../src/context/measure.ts'
import { isOrraError } from '../src/errors.ts'
import { type Conversation, compactedConversation, emptyConversation } from '../src/log/conversation.ts'
import { foldEntry } from '../src/log/fold-entry.ts'
import type { CompactionEntry, Entry } from '../src/store/entry.ts'
import { histories } from './histories.ts'
import { problemsIn } from './legal-request.ts'

// Whatever a session's log holds: what is sent is legal, fits, and keeps what was said last.

const MODEL = 'scripted-1'

const strategies: fc.Arbitrary<readonly ContextStrategy[]> = fc.shuffledSubarray([
  { type: 'clip-results' },
  { type: 'drop-results' },
  { type: 'compact' },
  { type: 'drop-turns' },
] as const)
const worlds = fc.record({
  entries: histories,
  strategies,
  windowTokens: fc.integer({ min: 3000, max: 14_000 }),
  canRead: fc.boolean(),
  instructionTokens: fc.nat({ max: 300 }),
})
type World = typeof worlds extends fc.Arbitrary<infer T> ? T : never

function fold(entries: readonly Entry[]): Conversation {
  const conversation = emptyConversation()
  for (const [index, entry] of entries.entries()) foldEntry(conversation, index + 1, entry)
  return conversation
}

function optionsOf({ strategies: list, windowTokens, canRead, instructionTokens }: World) {
  const rules = contextRules({ windowTokens, strategies: list }, { model: MODEL })
  const options: CompileOptions = {
    ...{ model: MODEL, budget: rules.budgetOf(MODEL), strategies: list, shaper: rules.shaper(MODEL, canRead) },
    ...{ instructionTokens, toolTokens: 0 },
  }
  return { rules, options }
}

/** What the newest turn and what comes before it cannot do without: what was said last, and a little of every other part. */
const LEAST_PART_TOKENS = 80

function leastTokens({ turns, pins }: Conversation, rules: ContextRules): number {
  const newest = turns.at(-1)?.messages.map(({ message }) => message) ?? []
  const said = newest.findLast(({ role }) => role === 'user')
  const others = newest.filter((message) => message !== said).reduce((sum, { content }) => sum + content.length, 0)
  return (said ? rules.measure.message(said, MODEL) : 0) + LEAST_PART_TOKENS * (others + pins.size + 1)
}

describe('what is sent of any history', () => {
  it('is legal, fits, ends with what was said last, and is the same each time; the log stays as it was', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { rules, options } = optionsOf(world)
        const before = JSON.stringify(world.entries)
        const conversation = fold(world.entries)
        fc.pre(leastTokens(conversation, rules) + world.instructionTokens <= options.budget.budgetTokens)
        const { messages, report } = compile(conversation, options)
        expect(problemsIn(messages)).toEqual([])
        const tokens = requestTokens(rules.measure, { model: MODEL, messages, tools: [] })
        expect(tokens + world.instructionTokens).toBeLessThanOrEqual(options.budget.budgetTokens)
        expect(report.estimatedTokens).toBe(tokens + world.instructionTokens)
        const said = world.entries.findLast((entry) => entry.type === 'message' && entry.message.role === 'user')
        expect(messages.findLast(({ role }) => role === 'user')).toEqual(said?.type === 'message' && said.message)
        expect(JSON.stringify(compile(fold(world.entries), options))).toBe(
          JSON.stringify(compile(conversation, options)),
        )
        expect(JSON.stringify(world.entries)).toBe(before)
      }),
      { numRuns: 1500 },
    )
  }, 120_000)

  it('begins as the call before began, whatever that has left out, while all fits', () => {
    fc.assert(
      fc.property(worlds, fc.integer({ min: 1, max: 4 }), (world, share) => {
        const { rules, options } = optionsOf(world)
        const conversation = fold(world.entries)
        fc.pre(leastTokens(conversation, rules) + world.instructionTokens + 200 <= options.budget.budgetTokens)
        const first = compile(conversation, options)
        const usage = {
          inputTokens: first.sent.estimatedTokens,
          outputTokens: 9,
          cacheReadTokens: 0,
          cacheWriteTokens: 0,
        }
        const seq = conversation.length + 1
        const message = { role: 'assistant', content: [{ type: 'text', text: 'So it is.' }] } as const
        foldEntry(conversation, seq, { type: 'message', message, model: MODEL, usage, context: first.sent })
        const more = { role: 'user', content: [{ type: 'text', text: 'And? '.repeat(share) }] } as const
        foldEntry(conversation, seq + 1, { type: 'message', message: more })
        const second = compile(conversation, options)
        expect(problemsIn(second.messages)).toEqual([])
        const isFull = first.sent.estimatedTokens + 60 > options.budget.budgetTokens
        if (isFull || first.report.squeezedMessages > 0) return
        const beginning = second.messages.slice(0, first.messages.length)
        expect(JSON.stringify(beginning)).toBe(JSON.stringify(first.messages))
      }),
      { numRuns: 300 },
    )
  }, 120_000)

  it('is the same for who begins at the last summary as for who has read all', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { options } = optionsOf(world)
        const at = world.entries.findLastIndex(({ type }) => type === 'compaction')
        const compaction = world.entries[at]
        fc.pre(compaction?.type === 'compaction')
        const all = fold(world.entries)
        const pins = [...fold(world.entries.slice(0, at)).pins].map(([seq, message]) => ({ seq, message }))
        const later = compactedConversation({ ...(compaction as CompactionEntry), pins }, all.metadata)
        for (const [index, entry] of world.entries.entries()) {
          if (index >= later.length) foldEntry(later, index + 1, entry)
        }
        const sentOf = (conversation: Conversation) => {
          try {
            return JSON.stringify(compile(conversation, options))
          } catch (error) {
            return String(error)
          }
        }
        expect(sentOf(later)).toBe(sentOf(all))
        expect({ ...later, turns: later.turns.length }).toEqual({ ...all, turns: all.turns.length })
      }),
      { numRuns: 300 },
    )
  }, 120_000)

  it('is refused, where even the newest turn cannot fit, with an error that says so', () => {
    const said = { role: 'user', content: [{ type: 'text', text: 'word '.repeat(5000) }] } as const
    const conversation = fold([{ type: 'message', message: said }])
    const rules = contextRules({ windowTokens: 1000 }, { model: MODEL })
    const options = { model: MODEL, budget: rules.budgetOf(MODEL), strategies: [], shaper: rules.shaper(MODEL, false) }
    const failure = (() => {
      try {
        return compile(conversation, { ...options, instructionTokens: 0, toolTokens: 0 })
      } catch (error) {
        return error
      }
    })()
    expect(isOrraError(failure, 'context.too-long')).toBe(true)
  })
})
