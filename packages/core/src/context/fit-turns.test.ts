import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Turn } from '../log/conversation.ts'
import type { Message } from '../message.ts'
import { contextBudget, fitTurns } from './fit-turns.ts'

const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 })
const room = fc.integer({ min: 1, max: 4000 })
const nothing = { instructionTokens: 0, toolTokens: 0 }

function turnsOf(tokens: readonly number[]): readonly Turn[] {
  let offset = 0
  return tokens.map((size, index) => {
    const messages: Message[] = [
      { role: 'user', content: [{ type: 'text', text: `question ${index}` }] },
      { role: 'assistant', content: [{ type: 'text', text: `answer ${index}` }] },
    ]
    offset += size
    return { messages, offset: offset - size, tokens: size }
  })
}

describe('fitting turns', () => {
  it('sends the newest whole turns, fits the budget unless one turn alone does not, and counts what it dropped', () => {
    fc.assert(
      fc.property(sizes, room, (tokens, budgetTokens) => {
        const turns = turnsOf(tokens)
        const { messages, report } = fitTurns(turns, { windowTokens: 10_000, budgetTokens }, nothing)
        const kept = turns.slice(report.droppedTurns)
        expect(messages).toEqual(kept.flatMap((turn) => turn.messages))
        expect(kept.length).toBeGreaterThan(0)
        if (kept.length > 1) expect(report.messageTokens).toBeLessThanOrEqual(budgetTokens)
        expect(report.messageTokens).toBe(kept.reduce((sum, turn) => sum + turn.tokens, 0))
        expect(report.messageTokens + report.droppedTokens).toBe(tokens.reduce((sum, size) => sum + size, 0))
        expect(report).toMatchObject({ sentTurns: kept.length, sentMessages: messages.length })
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps all while all fits', () => {
    expect(fitTurns(turnsOf([10, 10, 10]), { windowTokens: 100, budgetTokens: 30 }, nothing).report.droppedTurns).toBe(
      0,
    )
    expect(fitTurns([], { windowTokens: 100, budgetTokens: 30 }, nothing).messages).toEqual([])
  })

  it('counts instructions and tools against the budget', () => {
    const fixed = { instructionTokens: 10, toolTokens: 5 }
    const { report } = fitTurns(turnsOf([10, 10, 10]), { windowTokens: 100, budgetTokens: 30 }, fixed)
    expect(report).toMatchObject({ droppedTurns: 2, messageTokens: 10, ...fixed })
  })

  it('moves its cut seldom, so that a prompt cache holds', () => {
    const all = turnsOf(Array.from({ length: 400 }, () => 10))
    const cuts = all.map(
      (_, index) =>
        fitTurns(all.slice(0, index + 1), { windowTokens: 1000, budgetTokens: 400 }, nothing).report.droppedTurns,
    )
    expect(new Set(cuts).size).toBeLessThanOrEqual(1 + (400 - 40) / 10)
    expect(cuts).toEqual([...cuts].sort((a, b) => a - b))
  })
})

describe('the budget', () => {
  it('comes from the options, else from what the provider knows, else from defaults', () => {
    expect(contextBudget({}, { contextWindow: 1000, maxOutputTokens: 100 })).toEqual({
      windowTokens: 1000,
      budgetTokens: 900,
    })
    expect(contextBudget({}, { contextWindow: 1000, maxOutputTokens: 900 })).toEqual({
      windowTokens: 1000,
      budgetTokens: 750,
    })
    expect(
      contextBudget({ windowTokens: 500, outputReserveTokens: 0 }, { contextWindow: 1000, maxOutputTokens: 100 }),
    ).toEqual({
      windowTokens: 500,
      budgetTokens: 500,
    })
    expect(contextBudget()).toEqual({ windowTokens: 128_000, budgetTokens: 96_000 })
  })

  it.each([
    { windowTokens: 0 },
    { windowTokens: 10, outputReserveTokens: 10 },
    { windowTokens: Number.NaN },
    { outputReserveTokens: -1 },
  ])('refuses %o', (options) => {
    expect(() => contextBudget(options)).toThrow('"context"')
  })
})
