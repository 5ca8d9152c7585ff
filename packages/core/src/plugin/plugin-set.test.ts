import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import type { Provider } from '../provider.ts'
import { defineTool } from '../tool.ts'
import type { Plugin } from './plugin.ts'
import { readyPlugins } from './plugin-set.ts'

const tool = (name: string) => defineTool({ name, description: 'Does it.', execute: () => 'done' })
const provider: Provider = { name: 'p', model: 'm', async *stream() {} }
const channel = (name: string) => ({ name, serve: async () => {} })

const thrownBy = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    if (isOrraError(error)) return { code: error.code, message: error.message, details: error.details }
    throw error
  }
  throw new Error('Nothing was thrown.')
}

describe('a set of plugins', () => {
  it('adds what each gives, in the order in which they are started', () => {
    const policies = { 'tenant:*': { tools: { deny: ['exec'] } } }
    const source = { policiesFor: () => ({}) }
    const set = readyPlugins([
      { name: 'b', requires: ['a'], tools: [tool('b1')], channels: [channel('b')], policies: source },
      { name: 'a', tools: [tool('a1'), tool('a2')], providers: { fast: provider }, channels: [channel('a')], policies },
    ])
    expect(set.tools.map(({ name }) => name)).toEqual(['a1', 'a2', 'b1'])
    expect(set.channels.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(set.policies).toEqual([policies, source])
    expect([...set.providers]).toEqual([['fast', provider]])
  })

  it('names hooks after their plugin, unless they have a name', () => {
    const hook = { runEnd: () => {} }
    const set = readyPlugins([
      { name: 'one', hooks: hook },
      { name: 'many', hooks: [hook, { ...hook, name: 'mine' }] },
    ])
    expect(set.hooks).toEqual([
      { name: 'one', hooks: hook },
      { name: 'many hooks[0]', hooks: hook },
      { name: 'mine', hooks: { ...hook, name: 'mine' } },
    ])
  })

  it('is empty for no plugins', async () => {
    const set = readyPlugins([])
    expect([...set.tools, ...set.hooks, ...set.providers, ...set.channels, ...set.policies]).toEqual([])
  })

  it('takes nothing of one that is disabled', () => {
    const set = readyPlugins([{ name: 'off', enabled: false, requires: ['gone'], tools: [tool('t')] }])
    expect(set.tools).toEqual([])
  })

  it.each([
    [null, 'plugins[0]'],
    ['weather', 'plugins[0]'],
    [{}, 'plugins[0]'],
    [{ name: '' }, 'plugins[0]'],
    [{ name: 'a b' }, 'plugins[0]'],
    [{ name: 'x'.repeat(65) }, 'plugins[0]'],
    [{ name: 'w', tool: [] }, 'the unknown field "tool"'],
    [{ name: 'w', version: 1 }, '"version"'],
    [{ name: 'w', enabled: 'no' }, '"enabled"'],
    [{ name: 'w', requires: 'a' }, '"requires"'],
    [{ name: 'w', requires: ['a b'] }, '"requires"'],
    [{ name: 'w', tools: {} }, '"tools"'],
    [{ name: 'w', tools: [undefined] }, '"tools"'],
    [{ name: 'w', hooks: () => {} }, '"hooks"'],
    [{ name: 'w', hooks: [null] }, '"hooks"'],
    [{ name: 'w', providers: { fast: {} } }, '"providers"'],
    [{ name: 'w', providers: [provider] }, '"providers"'],
    [{ name: 'w', channels: [{ name: 'c' }] }, '"channels"'],
    [{ name: 'w', policies: [] }, '"policies"'],
    [{ name: 'w', start: true }, '"start"'],
    [{ name: 'w', stop: {} }, '"stop"'],
    [{ name: 'w', enabled: false, stop: {} }, '"stop"'],
  ])('refuses %o', (plugin, words) => {
    const { code, message } = thrownBy(() => readyPlugins([plugin as Plugin]))
    expect(code).toBe('plugin.invalid')
    expect(message).toContain(words)
  })

  it('refuses what is no list', () => {
    expect(thrownBy(() => readyPlugins({} as Plugin[])).code).toBe('options.invalid')
  })

  it('refuses two plugins of one name, and says which', () => {
    const { code, details } = thrownBy(() => readyPlugins([{ name: 'w' }, { name: 'w', enabled: false }]))
    expect(code).toBe('plugin.invalid')
    expect(details).toMatchObject({ plugin: 'w' })
  })

  it('refuses two providers of one name, and says whose they are', () => {
    const plugins = ['a', 'b'].map((name) => ({ name, providers: { fast: provider } }))
    const { code, message } = thrownBy(() => readyPlugins(plugins))
    expect(code).toBe('plugin.invalid')
    expect(message).toContain('"fast"')
    expect(message).toContain('"a"')
    expect(message).toContain('"b"')
  })

  it('refuses two tools of one name, and says whose they are', () => {
    const a = { name: 'a', tools: [tool('send')] }
    const b = { name: 'b', tools: [tool('send')] }
    const twice = thrownBy(() => readyPlugins([a, b]))
    expect(twice).toMatchObject({ code: 'tool.duplicate', details: { tool: 'send' } })
    expect(twice.message).toMatch(/"a".*"b"/)
    const own = thrownBy(() => readyPlugins([b], [tool('send')]))
    expect(own).toMatchObject({ code: 'tool.duplicate', details: { tool: 'send' } })
    expect(own.message).toMatch(/runtime's own.*"b"/)
    expect(thrownBy(() => readyPlugins([{ name: 'a', tools: [tool('x'), tool('x')] }])).code).toBe('tool.duplicate')
  })

  it('refuses a plugin without what it requires, whether it is not there or disabled', () => {
    const gone = thrownBy(() => readyPlugins([{ name: 'a', requires: ['b'] }]))
    expect(gone).toMatchObject({ code: 'plugin.missing', details: { plugin: 'a', missing: 'b' } })
    const off = thrownBy(() =>
      readyPlugins([
        { name: 'a', requires: ['b'] },
        { name: 'b', enabled: false },
      ]),
    )
    expect(off).toMatchObject({ code: 'plugin.missing', details: { plugin: 'a', missing: 'b' } })
    expect(off.message).toContain('disabled')
    expect(gone.message).not.toContain('disabled')
  })

  it('refuses plugins that require each other, and names the circle alone', () => {
    const plugins = [
      { name: 'outside', requires: ['a'] },
      { name: 'a', requires: ['fine', 'b'] },
      { name: 'b', requires: ['c'] },
      { name: 'c', requires: ['a'] },
      { name: 'fine' },
    ]
    const { code, message } = thrownBy(() => readyPlugins(plugins))
    expect(code).toBe('plugin.invalid')
    expect(message).toContain('a → b → c → a')
    expect(message).not.toContain('outside')
    expect(thrownBy(() => readyPlugins([{ name: 'a', requires: ['a'] }])).message).toContain('a → a')
  })

  it('orders by requirements, and otherwise as given', () => {
    // Each requires some of those before it in a hidden order; then they are given in any order.
    const arbitrary = fc.nat({ max: 8 }).chain((count) => {
      const names = Array.from({ length: count }, (_, index) => `p${index}`)
      const plugins = names.map((name, index) =>
        fc.subarray(names.slice(0, index)).map((requires) => ({ name, requires, channels: [channel(name)] })),
      )
      return fc
        .tuple(...plugins)
        .chain((all) => fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }))
    })
    fc.assert(
      fc.property(arbitrary, (given) => {
        const order = readyPlugins(given).channels.map(({ name }) => name)
        expect(order.toSorted()).toEqual(given.map(({ name }) => name).toSorted())
        for (const [index, { name, requires }] of given.entries()) {
          const at = order.indexOf(name)
          for (const required of requires) expect(order.indexOf(required)).toBeLessThan(at)
          // Whoever was given later comes earlier only where somebody waited.
          for (const later of given.slice(index + 1)) {
            if (order.indexOf(later.name) < at) expect(requires.length).toBeGreaterThan(0)
          }
        }
      }),
    )
  })
})
