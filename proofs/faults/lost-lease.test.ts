import { createRuntime, isOrraError, memoryStore, Namespace, type Store, type ToolContext } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import { describe, expect, it, vi } from 'vitest'
import { readLog } from '../storm-log.ts'
import { answeringModel, answeringTools, answerTo, effectOf } from '../storm-model.ts'
import { type Call, faulty } from './faulty.ts'
import { passTime, passTimeFor, virtualTime } from './virtual-time.ts'

const LEASE_TTL_MS = 1000
const bob = Namespace.of('bob')
const message = 'message'

/** Two processes on one store. The first is in the middle of a tool that waits for nothing but its signal. */
async function inTheMiddleOfATool(store: Store) {
  const begun = Promise.withResolvers<ToolContext>()
  const effects: string[] = []
  const unreachable = new Set<Call>()
  const firstStore = faulty(store, (call) => (unreachable.has(call) ? { type: 'refused' } : undefined))
  const open = (store: Store, work: (context: ToolContext) => Promise<void>) => {
    const tools = answeringTools(async (context) => {
      effects.push(context.callId)
      await work(context)
    })
    return createRuntime({ store, provider: answeringModel(), tools, leaseTtlMs: LEASE_TTL_MS })
  }
  const first = open(firstStore, async (context) => {
    begun.resolve(context)
    await new Promise(() => {})
  })
  const second = open(store, async () => {})
  const answer = first.run(bob, message, { key: message })
  const { signal } = await passTimeFor(begun.promise)
  const logOf = async () => readLog('bob', await store.sessions.read(bob))
  return { first, second, answer, signal, effects, unreachable, logOf }
}

describe.each([
  ['memory', () => memoryStore()],
  ['sqlite', () => sqliteStore(':memory:')],
] as const)('a lease that is lost during a tool, in the %s store', (_, open) => {
  it('to another process stops the first at once, and the effect is not repeated', async () => {
    using _ = virtualTime()
    await using store = open()
    const { second, answer, signal, effects, logOf } = await inTheMiddleOfATool(store)

    // For the first the time seems short; for the store it is long.
    vi.setSystemTime(Date.now() + LEASE_TTL_MS)
    const answered = await passTimeFor(second.run(bob, message, { key: message }))
    await passTime(LEASE_TTL_MS / 3)

    expect(isOrraError(signal.reason, 'store.fenced')).toBe(true)
    expect(answered.text).toBe(answerTo(message))
    expect(await passTimeFor(answer)).toEqual(answered)
    expect(effects).toEqual([effectOf(message)])
    const { problems, begun } = await logOf()
    expect(problems).toEqual([])
    expect(begun.get(effectOf(message))).toBe(true)
  })

  it('because it cannot be renewed stops the first by the next time it tries', async () => {
    using _ = virtualTime()
    await using store = open()
    const { second, answer, signal, effects, unreachable, logOf } = await inTheMiddleOfATool(store)

    for (const call of ['renew', 'append', 'claim', 'head'] as const) unreachable.add(call)
    const failed = answer.catch((error: unknown) => error)
    await passTime((LEASE_TTL_MS * 4) / 3)
    expect(isOrraError(signal.reason, 'store.fenced')).toBe(true)
    expect(isOrraError(await passTimeFor(failed), 'store.unusable')).toBe(true)

    await passTime(LEASE_TTL_MS)
    await passTimeFor(second.recover({ untilIdle: true }))
    const { problems, answers } = await logOf()
    expect(problems).toEqual([])
    expect(answers.get(message)?.text).toBe(answerTo(message))
    expect(effects).toEqual([effectOf(message)])
  })
})
