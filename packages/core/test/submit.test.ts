import type { ScriptStep } from '@orra/conformance'
import { memoryStore, Namespace } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { alice, announced, aSwitch, bob, codeOf, logOf, scripted } from './harness.ts'

describe('a submitted message', () => {
  it('is accepted once a key, and answered by nobody yet', async () => {
    const { orra, provider } = scripted(['Hi.'])
    expect(await orra.submit(bob, 'Hello', { key: 'k' })).toBe('k')
    expect(await orra.submit(bob, 'Hello', { key: 'k' })).toBe('k')
    expect(await logOf(orra)).toEqual(['input: Hello'])
    expect(provider.requests).toHaveLength(0)
  })

  it('without a key is a message of its own each time', async () => {
    const { orra } = scripted([])
    expect(await orra.submit(bob, 'Hello')).not.toBe(await orra.submit(bob, 'Hello'))
    expect(await logOf(orra)).toHaveLength(2)
  })

  it('is answered by any process that recovers, with what was asked of its run', async () => {
    const store = memoryStore()
    await scripted([], { store }).orra.submit(bob, 'Hello', { model: 'model-2' })
    const { orra, provider } = scripted(['Hi.'], { store })
    await orra.recover({ untilIdle: true })
    expect(provider.requests[0]?.model).toBe('model-2')
    expect((await logOf(orra)).slice(-1)).toEqual(['run-ended completed'])
  })

  it('is checked before it is accepted', async () => {
    const { orra } = scripted([])
    expect(await codeOf(orra.submit(bob, ''))).toBe('message.invalid')
    expect(await codeOf(orra.submit(bob, 'x', { tools: ['none'] }))).toBe('tool.unknown')
    expect(await codeOf(orra.submit(bob, 'x', { sgnal: 1 } as never))).toBe('options.invalid')
    expect(await orra.session(bob).head()).toBeUndefined()
  })

  it('passes the hooks that every message passes', async () => {
    const { orra } = scripted(['Hi.'], {
      hooks: [
        { beforeAppend: ({ message }) => ({ message: JSON.parse(JSON.stringify(message).replace('1234', '****')) }) },
      ],
    })
    await orra.submit(bob, 'My number is 1234')
    expect(await logOf(orra)).toEqual(['input: My number is ****'])
  })

  it('whose signal has aborted is not accepted', async () => {
    const { orra } = scripted([])
    await expect(orra.submit(bob, 'x', { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
    expect(await orra.session(bob).head()).toBeUndefined()
  })
})

describe('recovering', () => {
  it('answers what is submitted while it goes on, at once, until it is stopped', async () => {
    const asked = aSwitch()
    const { orra } = scripted([announced(asked, { text: 'Hi.' })])
    const stop = new AbortController()
    const recovering = orra.recover({ signal: stop.signal, pollMs: 60_000 })
    await orra.submit(bob, 'Hello')
    await asked.promise
    stop.abort()
    await recovering
    expect((await logOf(orra)).slice(-1)).toEqual(['run-ended completed'])
  })

  it('goes on with what a dead process left, once its lease has run out', async () => {
    let time = 1_700_000_000_000
    const store = memoryStore({ now: () => time })
    const asked = aSwitch()
    const dead = scripted([announced(asked, { text: 'never', before: aSwitch().promise })], { store })
    dead.orra.run(bob, 'Hello').catch(() => {})
    await asked.promise
    const { orra } = scripted(['Hi.'], { store })
    await orra.recover({ untilIdle: true })
    expect((await logOf(orra)).at(-1)).toBe('user: Hello')
    time += 60_000
    await orra.recover({ untilIdle: true })
    expect((await logOf(orra)).slice(-2)).toEqual(['assistant: Hi.', 'run-ended completed'])
    await dead.orra.close()
  })

  it('gives every session its turn, and works on no more than it may at once', async () => {
    const store = memoryStore()
    const { orra } = scripted([], { store })
    for (const text of ['1', '2', '3']) await orra.submit(alice, `alice ${text}`)
    await orra.submit(bob, 'bob 1')
    let current = 0
    let most = 0
    const order: string[] = []
    const worker = scripted(
      Array.from(
        { length: 4 },
        (): ScriptStep =>
          ({ messages }) => {
            order.push(/(alice|bob) \d/.exec(JSON.stringify(messages.at(-1)))?.[0] ?? '')
            most = Math.max(most, ++current)
            const before = new Promise<void>((resolve) => {
              setImmediate(() => {
                current -= 1
                resolve()
              })
            })
            return { text: 'Hi.', before }
          },
      ),
      { store },
    )
    await worker.orra.recover({ untilIdle: true, maxParallel: 1 })
    expect(order).toEqual(['alice 1', 'bob 1', 'alice 2', 'alice 3'])
    expect(most).toBe(1)
  })

  it('leaves nothing, though leases are given back slowly', async () => {
    const store = memoryStore()
    const slow: typeof store = {
      ...store,
      sessions: {
        ...store.sessions,
        claim: async (namespace, options) => {
          const lease = await store.sessions.claim(namespace, options)
          return (
            lease && {
              ...lease,
              release: async () => {
                await new Promise((resolve) => setImmediate(resolve))
                await lease.release()
              },
            }
          )
        },
      },
    }
    const { orra } = scripted(['1', '2', '3', '4'], { store: slow })
    for (const text of ['1', '2', '3', '4']) await orra.submit(bob, text)
    await orra.recover({ untilIdle: true, pollMs: 60_000 })
    expect((await store.sessions.head(bob))?.inbox).toEqual([])
  })

  it('keeps to its subtree', async () => {
    const { orra } = scripted(['Hi.'])
    const other = Namespace.of('tenant', 'acme-2', 'user', 'bob')
    await orra.submit(bob, 'Hello')
    await orra.submit(other, 'Hello')
    await orra.recover({ untilIdle: true, within: Namespace.of('tenant', 'acme') })
    expect((await logOf(orra)).at(-1)).toBe('run-ended completed')
    expect(await logOf(orra, other)).toEqual(['input: Hello'])
  })

  it('goes on after a run that failed, and tells', async () => {
    const errors: unknown[] = []
    const { orra } = scripted([{ error: new Error('model down') }, 'Hi.'])
    await orra.submit(alice, 'Hello')
    await orra.submit(bob, 'Hello')
    await orra.recover({ untilIdle: true, maxParallel: 1, pollMs: 1, onError: (error) => errors.push(error) })
    expect((await logOf(orra, alice)).at(-1)).toBe('run-ended error unknown')
    expect((await logOf(orra, bob)).at(-1)).toBe('run-ended completed')
    expect(errors).toHaveLength(1)
  })

  it('tries again when the store cannot be asked', async () => {
    const store = memoryStore()
    let failures = 2
    const flaky: typeof store = {
      ...store,
      sessions: {
        ...store.sessions,
        list: async (options) => {
          if (failures-- > 0) throw new Error('down')
          return store.sessions.list(options)
        },
      },
    }
    const errors: unknown[] = []
    const { orra } = scripted(['Hi.'], { store: flaky })
    await orra.submit(bob, 'Hello')
    await orra.recover({ untilIdle: true, pollMs: 1, onError: (error) => errors.push(error) })
    expect(errors).toHaveLength(2)
    expect((await logOf(orra)).at(-1)).toBe('run-ended completed')
  })

  it('does not let one session that fails hold up another', async () => {
    const { orra } = scripted([{ error: new Error('model down') }, 'Hi.'])
    const stop = new AbortController()
    const recovering = orra.recover({ signal: stop.signal, maxParallel: 1, pollMs: 60_000 })
    const done = aSwitch()
    const watching = (async () => {
      for await (const event of orra.session(bob).watch()) {
        if (event.type === 'entry' && event.entry.type === 'run-ended') return done.on()
      }
    })()
    await orra.submit(alice, 'fails')
    while ((await orra.session(alice).head())?.openRun || (await orra.session(alice).head())?.inbox.length) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    await orra.submit(bob, 'Hello')
    await done.promise
    await watching
    stop.abort()
    await recovering
  })

  it('does not go round and round over what it cannot work on', async () => {
    const store = memoryStore()
    const stop = new AbortController()
    let claims = 0
    let lists = 0
    const strange: typeof store = {
      ...store,
      sessions: {
        ...store.sessions,
        list: async (options) => {
          lists += 1
          return store.sessions.list(options)
        },
        claim: async () => {
          claims += 1
          if (claims === 4) stop.abort()
          return undefined
        },
      },
    }
    const { orra } = scripted([], { store: strange })
    await orra.submit(bob, 'Hello')
    await orra.recover({ signal: stop.signal, pollMs: 10 })
    // It waits for 10, 20 and 40 ms, and looks every 10.
    expect(lists).toBeLessThan(20)
  })

  it('goes on when whoever is told of a failure fails', async () => {
    const { orra } = scripted([{ error: new Error('model down') }, 'Hi.'])
    await orra.submit(bob, 'fails')
    await orra.submit(bob, 'Hello')
    const onError = () => {
      throw new Error('and I, too')
    }
    await orra.recover({ untilIdle: true, pollMs: 1, onError })
    expect((await logOf(orra)).at(-1)).toBe('run-ended completed')
  })

  it('ends with its runtime, which leaves runs open for others', async () => {
    const asked = aSwitch()
    const { orra } = scripted([announced(asked, { text: 'x', before: aSwitch().promise })])
    await orra.submit(bob, 'Hello')
    const recovering = codeOf(orra.recover())
    await asked.promise
    await orra.close()
    expect(await recovering).toBe('runtime.closed')
    expect((await orra.session(bob).head())?.openRun).toBeDefined()
  })

  it('refuses options that it does not have', async () => {
    const { orra } = scripted([])
    expect(await codeOf(orra.recover({ parallel: 2 } as never))).toBe('options.invalid')
    expect(await codeOf(orra.recover({ maxParallel: 0 }))).toBe('options.invalid')
    expect(await codeOf(orra.recover({ pollMs: -1 }))).toBe('options.invalid')
  })
})
