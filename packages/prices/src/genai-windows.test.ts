import { createRuntime, isOrraError, Namespace, type Provider } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { type GenaiWindowsOptions, genaiWindows } from './genai-windows.ts'

describe('context windows of models', () => {
  it('are those of the tables', () => {
    const windows = genaiWindows()
    expect(windows('gpt-4o')).toBe(128_000)
    expect(windows('claude-sonnet-4-20250514')).toBe(200_000)
    expect(genaiWindows({ provider: 'openai' })('gpt-4o')).toBe(128_000)
  })

  it.each(['no-such-model', '', '__proto__', 'toString'])('are not there for "%s"', (model) => {
    expect(genaiWindows()(model)).toBeUndefined()
    expect(genaiWindows({ provider: 'anthropic' })(model)).toBeUndefined()
  })

  it('are not those of another provider’s model', () => {
    expect(genaiWindows({ provider: 'anthropic' })('gpt-4o')).toBeUndefined()
  })

  it('can be said otherwise', () => {
    const windows = genaiWindows({ overrides: { 'gpt-4o': 64_000, 'our-own': 32_000 } })
    expect([windows('gpt-4o'), windows('our-own'), windows('toString')]).toEqual([64_000, 32_000, undefined])
  })

  it('hold in a runtime, for whichever model is asked', async () => {
    const provider: Provider = { name: 'none', model: 'gpt-4o', async *stream() {} }
    await using orra = createRuntime({ provider, context: { windowTokens: genaiWindows() } })
    const bob = Namespace.of('bob')
    const windowOf = async (model?: string) =>
      (await orra.preview(bob, { input: 'Hi', ...(model ? { model } : {}) })).report.windowTokens
    expect(await windowOf()).toBe(128_000)
    expect(await windowOf('claude-sonnet-4-20250514')).toBe(200_000)
  })

  it.each([
    ['a misspelt one', { window: 1 }, 'window'],
    ['a provider without tables', { provider: 'nobody' }, 'provider'],
    ['overrides that are a list', { overrides: [] }, 'overrides'],
    ['a window that is none', { overrides: { mine: 0 } }, 'overrides.mine'],
  ])('refuse options: %s', (_, options, option) => {
    try {
      genaiWindows(options as unknown as GenaiWindowsOptions)
    } catch (error) {
      expect(isOrraError(error, 'options.invalid') && error.details.option).toBe(option)
      return
    }
    expect.fail('It was taken.')
  })
})
