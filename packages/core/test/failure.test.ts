import { createRuntime, isOrraError, memoryStore, OrraError, type Provider, type SessionLog } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { bob, codeOf, collect, logOf, scripted } from './harness.ts'

const overloaded = new OrraError('provider.unavailable', 'Overloaded; try again.', {
  details: { provider: 'scripted', status: 529 },
})

describe('a model call that fails', () => {
  it('ends the run, is thrown, and leaves a log that goes on', async () => {
    const { orra, provider } = scripted([{ text: 'Half of', error: overloaded }, 'Back.'])
    const types: string[] = []
    const reading = async () => {
      for await (const { type } of orra.stream(bob, 'Hello')) types.push(type)
    }
    await expect(reading()).rejects.toBe(overloaded)
    expect(types).toEqual(['run-start', 'model-call-start', 'text-delta', 'text-delta'])
    expect(await logOf(orra)).toEqual([
      'input: Hello',
      'run-started',
      'user: Hello',
      'run-ended error provider.unavailable',
    ])
    expect((await orra.run(bob, 'Again')).text).toBe('Back.')
    expect(provider.requests[1]?.messages.map(({ role }) => role)).toEqual(['user', 'user'])
  })

  it('with something unknown says where, and nothing of the content', async () => {
    const { orra } = scripted([{ error: new TypeError('secret prompt') }])
    const failure = await orra.run(bob, 'Hello').catch((error: unknown) => error)
    expect(isOrraError(failure, 'unknown') && failure.cause).toBeInstanceOf(TypeError)
    expect((failure as Error).message).not.toContain('secret')
    for await (const { entry } of orra.session(bob).entries()) {
      if (entry.type === 'run-ended') expect(JSON.stringify(entry)).not.toContain('secret')
    }
  })

  it('by ending without an end is the provider’s fault', async () => {
    const provider: Provider = {
      name: 'short',
      model: 'short-1',
      async *stream() {
        yield { type: 'text-delta', text: 'Hi' }
      },
    }
    expect(await codeOf(createRuntime({ provider }).run(bob, 'Hello'))).toBe('provider.bad-reply')
  })

  it('does not hinder the message behind it', async () => {
    const { orra } = scripted([{ error: overloaded }, 'Two.'])
    const [one, two] = await Promise.allSettled([orra.run(bob, '1'), orra.run(bob, '2')])
    expect(one).toMatchObject({ status: 'rejected', reason: overloaded })
    expect(two).toMatchObject({ status: 'fulfilled', value: { text: 'Two.' } })
  })
})

describe('a store that fails', () => {
  const broken = new OrraError('store.unusable', 'The disk is full.', { details: { store: 'test', problem: 'full' } })

  /** A store whose `nth` append fails, and every one after it until it is mended. */
  function breaking(nth: number) {
    const store = memoryStore()
    let appends = 0
    let mended = false
    const sessions: SessionLog = {
      ...store.sessions,
      append: async (...args) => {
        appends += 1
        if (appends >= nth && !mended) throw broken
        return store.sessions.append(...args)
      },
    }
    return {
      store: { ...store, sessions },
      mend: () => {
        mended = true
      },
    }
  }

  it.each([1, 2, 3, 4])(
    'at its append %i is thrown; what was accepted is answered once it works again',
    async (nth) => {
      const { store, mend } = breaking(nth)
      const { orra } = scripted(['Hi.', 'Hi.', 'Hi.', 'Hi.'], { store })
      expect(await codeOf(orra.run(bob, 'Hello'))).toBe('store.unusable')
      mend()
      const accepted = nth > 1
      expect((await orra.resume(bob))?.text).toBe(accepted ? 'Hi.' : undefined)
      expect((await logOf(orra)).filter((line) => line.startsWith('user:'))).toHaveLength(accepted ? 1 : 0)
    },
  )

  it('fails a stream after what had happened was yielded', async () => {
    const { orra } = scripted(['Hi.'], { store: breaking(3).store })
    const types: string[] = []
    const reading = async () => {
      for await (const { type } of orra.stream(bob, 'Hello')) types.push(type)
    }
    await expect(reading()).rejects.toBe(broken)
    expect(types).toEqual(['run-start', 'model-call-start', 'text-delta'])
    expect(await codeOf(collect(orra.stream(bob, 'Hello')))).toBe('store.unusable')
  })
})
