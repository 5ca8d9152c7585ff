import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isOrraError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import type { Plugin, PluginHost } from './plugin.ts'
import { pluginLifetime } from './plugin-lifetime.ts'

const host = (signal = new AbortController().signal): PluginHost => ({ runtime: {} as Runtime, signal })

/** Plugins that tell what becomes of them. */
const told = (said: string[], name: string, rest: Partial<Plugin> = {}): Plugin => ({
  name,
  start: async () => void said.push(`+${name}`),
  stop: async () => void said.push(`-${name}`),
  ...rest,
})

const failing = (message: string) => async () => {
  throw new Error(message)
}

const thrownBy = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return isOrraError(error, 'plugin.failed') ? { plugin: error.details.plugin, cause: error.cause, error } : error
}

afterEach(() => {
  vi.useRealTimers()
})

describe('the lifetime of plugins', () => {
  it('begins in order, each after the one before, and ends in reverse', async () => {
    const said: string[] = []
    const slow = Promise.withResolvers<void>()
    const a = told(said, 'a', {
      async start() {
        await slow.promise
        said.push('+a')
      },
    })
    const life = pluginLifetime([a, told(said, 'b'), { name: 'quiet' }, told(said, 'c')])
    const starting = life.start(host())
    await Promise.resolve()
    expect(said).toEqual([])
    slow.resolve()
    await starting
    await life.stop()
    expect(said).toEqual(['+a', '+b', '+c', '-c', '-b', '-a'])
  })

  it('gives each the host, and keeps its this', async () => {
    const given = host()
    const seen: unknown[] = []
    const plugin: Plugin = {
      name: 'a',
      start(received) {
        seen.push(this, received)
      },
      stop() {
        seen.push(this)
      },
    }
    const life = pluginLifetime([plugin])
    await life.start(given)
    await life.stop()
    expect(seen).toEqual([plugin, given, plugin])
  })

  it('begins once, however many ask', async () => {
    const said: string[] = []
    const life = pluginLifetime([told(said, 'a')])
    await Promise.all([life.start(host()), life.start(host())])
    await life.start(host())
    expect(said).toEqual(['+a'])
    await Promise.all([life.stop(), life.stop()])
    await life.stop()
    expect(said).toEqual(['+a', '-a'])
  })

  it('stops nothing that was not started', async () => {
    const said: string[] = []
    await pluginLifetime([told(said, 'a')]).stop()
    expect(said).toEqual([])
  })

  it('stops what was started when one cannot be, says which, and tries anew', async () => {
    const said: string[] = []
    let broken = true
    const b = told(said, 'b', {
      start: async () => {
        if (broken) throw new Error('no rights')
        said.push('+b')
      },
    })
    const life = pluginLifetime([told(said, 'a'), b, told(said, 'c')])
    const [one, other] = await Promise.all([thrownBy(life.start(host())), thrownBy(life.start(host()))])
    expect(one).toMatchObject({ plugin: 'b', cause: { message: 'no rights' } })
    expect(other).toEqual(one)
    expect(said).toEqual(['+a', '-a'])
    broken = false
    await life.start(host())
    expect(said).toEqual(['+a', '-a', '+a', '+b', '+c'])
  })

  it('says no word of what was thrown in its own message', async () => {
    const life = pluginLifetime([{ name: 'a', start: failing('key sk-123'), stop: failing('key sk-123') }])
    const thrown = (await thrownBy(life.start(host()))) as { error: Error }
    expect(thrown.error.message).toContain('"a"')
    expect(thrown.error.message).not.toContain('sk-123')
  })

  it('takes what throws at once like what rejects', async () => {
    const start = () => {
      throw new Error('at once')
    }
    const life = pluginLifetime([{ name: 'a', start }])
    expect(await thrownBy(life.start(host()))).toMatchObject({ plugin: 'a', cause: { message: 'at once' } })
  })

  it('tells of both when a failed start is followed by a failed stop', async () => {
    const life = pluginLifetime([
      { name: 'a', stop: failing('stuck') },
      { name: 'b', start: failing('no rights') },
    ])
    const thrown = (await thrownBy(life.start(host()))) as { plugin: string; cause: AggregateError }
    expect(thrown.plugin).toBe('b')
    expect(thrown.cause.errors.map(({ message }) => message)).toEqual(['no rights', 'stuck'])
  })

  it('stops all, whichever fail, and then says which', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 6 }), async (fails) => {
        const said: string[] = []
        const plugins = fails.map((fail, index) => {
          const stop = async () => {
            said.push(`p${index}`)
            if (fail) throw new Error(`p${index}`)
          }
          return { name: `p${index}`, stop }
        })
        const life = pluginLifetime(plugins)
        await life.start(host())
        const thrown = await thrownBy(life.stop())
        const all = plugins.map(({ name }) => name).reverse()
        const failed = all.filter((_, index) => fails.at(-1 - index))
        expect(said).toEqual(all)
        if (failed.length === 0) expect(thrown).toBeUndefined()
        else expect(thrown).toMatchObject({ plugin: failed[0] })
        if (failed.length > 1) {
          const { cause } = thrown as { cause: AggregateError }
          expect(cause.errors.map(({ message }) => message)).toEqual(failed)
        }
      }),
    )
  })

  it('gives each 10 seconds to stop', async () => {
    vi.useFakeTimers()
    const said: string[] = []
    const life = pluginLifetime([told(said, 'a'), { name: 'stuck', stop: () => new Promise<void>(() => {}) }])
    await life.start(host())
    const stopping = thrownBy(life.stop())
    await vi.advanceTimersByTimeAsync(9_999)
    expect(said).toEqual(['+a'])
    await vi.advanceTimersByTimeAsync(1)
    expect(await stopping).toMatchObject({ plugin: 'stuck' })
    expect(said).toEqual(['+a', '-a'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('begins no more once the host closes, and stops what it began', async () => {
    const said: string[] = []
    const closing = new AbortController()
    const b = told(said, 'b', { start: async () => closing.abort(new Error('closed')) })
    const life = pluginLifetime([told(said, 'a'), b, told(said, 'c')])
    expect(await thrownBy(life.start(host(closing.signal)))).toMatchObject({ message: 'closed' })
    await life.stop()
    expect(said).toEqual(['+a', '-b', '-a'])
    expect(await thrownBy(life.start(host(closing.signal)))).toMatchObject({ message: 'closed' })
    expect(said).toEqual(['+a', '-b', '-a'])
  })

  it('waits 10 seconds for one that goes on starting after the host closed, and stops it whenever it is done', async () => {
    vi.useFakeTimers()
    const said: string[] = []
    const closing = new AbortController()
    const begun = Promise.withResolvers<void>()
    const late = Promise.withResolvers<void>()
    const start = () => {
      begun.resolve()
      return late.promise
    }
    const life = pluginLifetime([told(said, 'a'), told(said, 'b', { start })])
    const starting = thrownBy(life.start(host(closing.signal)))
    await begun.promise
    closing.abort(new Error('closed'))
    const stopping = thrownBy(life.stop())
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await stopping).toMatchObject({ plugin: 'b', error: { code: 'plugin.failed' } })
    expect(await starting).toMatchObject({ message: 'closed' })
    expect(said).toEqual(['+a', '-a'])
    late.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(said).toEqual(['+a', '-a', '-b'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits for a start that goes on before it stops', async () => {
    const said: string[] = []
    const slow = Promise.withResolvers<void>()
    const life = pluginLifetime([told(said, 'a', { start: () => slow.promise }), told(said, 'b')])
    const starting = life.start(host())
    const stopping = life.stop()
    slow.resolve()
    await Promise.all([starting, stopping])
    expect(said).toEqual(['+b', '-b', '-a'])
  })
})
