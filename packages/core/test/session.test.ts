import { describe, expect, it } from 'vitest'
import { alice, bob, codeOf, scripted } from './harness.ts'

describe('a session', () => {
  it('can be looked at from the beginning or from a place', async () => {
    const { orra } = scripted(['One.', 'Two.'])
    await orra.run(bob, '1')
    await orra.run(bob, '2')
    const session = orra.session(bob)
    const types: string[] = []
    for await (const { seq, entry } of session.entries({ after: 5 })) types.push(`${seq} ${entry.type}`)
    expect(types).toEqual(['6 input', '7 run-started', '8 message', '9 message', '10 run-ended'])
    expect((await session.messages()).map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
    expect(await session.head()).toMatchObject({ namespace: bob.key, length: 10, inbox: [] })
  })

  it('keeps metadata, which nobody else sees', async () => {
    const { orra } = scripted([])
    await orra.session(bob).setMetadata({ title: 'One', mode: { deep: [1] } })
    await orra.session(bob).setMetadata({ title: 'Two', mode: null })
    expect((await orra.session(bob).head())?.metadata).toEqual({ title: 'Two' })
    expect(await orra.session(alice).head()).toBeUndefined()
    expect(await codeOf(orra.session(bob).setMetadata({ big: 1n } as never))).toBe('options.invalid')
  })

  it('that does not exist is empty, and cannot be deleted', async () => {
    const session = scripted([]).orra.session(bob)
    expect(await session.messages()).toEqual([])
    expect(await session.delete()).toBe(false)
  })

  it('is not opened for what is no namespace', async () => {
    expect(await codeOf(() => scripted([]).orra.session('tenant:acme' as never))).toBe('namespace.invalid')
  })
})
