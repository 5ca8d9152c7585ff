import { openaiTokens } from '@orra/provider-openai/tokens'
import fc from 'fast-check'
import { decode as decodeNew, encode as encodeNew } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'

describe('counting a text', () => {
  const counter = openaiTokens()

  it.each([
    ['hello world', 'gpt-5.2', 2],
    ['', 'gpt-5.2', 0],
    ['お誕生日おめでとう', 'gpt-4o', 8],
    ['お誕生日おめでとう', 'gpt-4', 9],
    ['お誕生日おめでとう', 'gpt-4-turbo', 9],
    ['お誕生日おめでとう', 'gpt-3.5-turbo', 9],
    ['お誕生日おめでとう', 'openai/gpt-4.1', 8],
    ['お誕生日おめでとう', 'some-other-model', 8],
  ])('of %o for %s', (text, model, tokens) => {
    expect(counter.countText(text, model)).toBe(tokens)
  })

  it('takes what looks like a mark for plain text', () => {
    for (const mark of ['<|endoftext|>', '<|im_start|>user', '<|endofprompt|>']) {
      expect(counter.countText(mark, 'gpt-5.2')).toBeGreaterThan(3)
    }
  })

  it('is what the text comes apart into, the same every time', () => {
    const property = fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const tokens = encodeNew(text, { disallowedSpecial: new Set() })
      expect(counter.countText(text, 'gpt-5.2')).toBe(tokens.length)
      expect(counter.countText(text, 'gpt-5.2')).toBe(tokens.length)
      expect(decodeNew(tokens)).toBe(text.toWellFormed())
    })
    fc.assert(property)
  })

  it('is exact for long texts too', () => {
    const word = fc.oneof(
      fc.constantFrom('It’s', 'über', '12345', '\n\n', 'x', '日本', ' ', '=>', "don't", '😀'),
      fc.string(),
    )
    const property = fc.property(fc.array(word, { minLength: 1500, maxLength: 4000 }), (words) => {
      const text = words.join(' ')
      expect(counter.countText(text, 'gpt-5.2')).toBe(encodeNew(text, { disallowedSpecial: new Set() }).length)
    })
    fc.assert(property, { numRuns: 15 })
  })

  it('takes half a character, and a text without a space', () => {
    expect(counter.countText('\ud83d', 'gpt-5.2')).toBeGreaterThan(0)
    expect(counter.countText('ab'.repeat(50_000), 'gpt-5.2')).toBe(25_000)
    expect(counter.countText('😀'.repeat(5001), 'gpt-5.2')).toBe(encodeNew('😀'.repeat(5001)).length)
  })
})
