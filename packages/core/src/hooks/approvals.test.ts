import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isOrraError } from '../errors.ts'
import { Namespace } from '../namespace.ts'
import type { ApprovalDecision, ApprovalRequest } from '../store/approval-request.ts'
import { type ApprovalsOptions, approvals } from './approvals.ts'
import type { Hooks } from './hooks.ts'

const requestOf = (callId: string): ApprovalRequest => ({
  namespace: 'user:bob',
  runId: 'run-1',
  callId,
  tool: 'send',
  input: {},
  inputHash: '00',
  level: 'always',
  rule: 'tool',
  requestedAt: 0,
  expiresAt: 1_000_000,
})

/** What is decided of a call, or that nothing was. */
const decided = async (
  hooks: Hooks,
  callId = 'c1',
  { signal, decision }: { signal?: AbortSignal; decision?: ApprovalDecision } = {},
) => {
  const base = { namespace: Namespace.of('user', 'bob'), metadata: {}, runId: 'run-1' }
  const event = { ...base, signal: signal ?? new AbortController().signal, request: requestOf(callId), decision }
  return ((await hooks.approval?.(event)) as { decision?: ApprovalDecision } | undefined)?.decision
}

const refused = (reason: string) => ({ approved: false, reason: expect.stringContaining(reason) })

/** Whether it has settled, once all that can happen without time has happened. */
const settled = async (work: Promise<unknown>): Promise<boolean> => {
  let done = false
  const mark = () => {
    done = true
  }
  work.then(mark, mark)
  await vi.advanceTimersByTimeAsync(0)
  return done
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('approvals by a function', () => {
  it('are what it says', async () => {
    const hooks = approvals({ ask: async ({ callId }) => ({ approved: callId === 'yes', reason: callId }) })
    expect(await decided(hooks, 'yes')).toEqual({ approved: true, reason: 'yes' })
    expect(await decided(hooks, 'no')).toEqual({ approved: false, reason: 'no' })
  })

  it('are left open where it decides nothing', async () => {
    expect(await decided(approvals({ ask: () => undefined }))).toBeUndefined()
  })

  it('leave alone what was decided before', async () => {
    const ask = vi.fn(() => ({ approved: true }))
    expect(await decided(approvals({ ask }), 'c1', { decision: { approved: false } })).toBeUndefined()
    expect(ask).not.toHaveBeenCalled()
  })

  it('are refusals where it throws, and tell no word of it', async () => {
    const throwing = () => {
      throw new Error('key sk-1')
    }
    for (const ask of [throwing, async () => throwing()]) {
      const decision = await decided(approvals({ ask }))
      expect(decision).toEqual(refused('could not be asked'))
      expect(JSON.stringify(decision)).not.toContain('sk-1')
    }
  })

  it('are refusals for whatever is no decision', async () => {
    const decision = (value: unknown) => fc.record({ approved: fc.constant(value), reason: fc.constant(7) })
    const garbage = fc.oneof(
      fc.anything().filter((value) => value !== undefined && !isDecision(value)),
      decision(true),
      fc.constantFrom('yes', 1, true, null, [], { approved: 'true' }, { approved: 1 }),
    )
    await fc.assert(
      fc.asyncProperty(garbage, async (answer) => {
        expect(await decided(approvals({ ask: () => answer as never }))).toEqual(refused('no decision'))
      }),
    )

    function isDecision(value: unknown): boolean {
      return typeof (value as ApprovalDecision | null)?.approved === 'boolean' || value instanceof Promise
    }
  })

  it('are refusals when the time is over, and it is told', async () => {
    let asked: AbortSignal | undefined
    const ask: ApprovalsOptions['ask'] = (_, { signal }) => {
      asked = signal
      return new Promise(() => {})
    }
    const decision = decided(approvals({ ask: ask as never, timeoutMs: 1000 }))
    await vi.advanceTimersByTimeAsync(999)
    expect([asked?.aborted, await settled(decision)]).toEqual([false, false])
    await vi.advanceTimersByTimeAsync(1)
    expect(await decision).toEqual(refused('in time'))
    expect(asked?.aborted).toBe(true)
  })

  it('are given up with the run', async () => {
    const run = new AbortController()
    let asked: AbortSignal | undefined
    const hooks = approvals({
      ask: (_, { signal }) => {
        asked = signal
        return new Promise(() => {})
      },
    })
    const decision = decided(hooks, 'c1', { signal: run.signal })
    run.abort(new Error('stopped'))
    await expect(decision).rejects.toThrow('stopped')
    expect(asked?.aborted).toBe(true)
    await expect(decided(hooks, 'c2', { signal: run.signal })).rejects.toThrow('stopped')
  })

  it.each([{ ask: true }, { timeoutMs: 0 }, { timeoutMs: 2 ** 31 }, { timeout: 5 }])(
    'refuse the options %o',
    (options) => {
      try {
        approvals(options as object)
        expect.unreachable()
      } catch (error) {
        expect(isOrraError(error, 'options.invalid')).toBe(true)
      }
    },
  )
})

describe('approvals by whoever iterates', () => {
  it('are what they say, in the order in which they were asked for', async () => {
    const hooks = approvals()
    const all = Promise.all([decided(hooks, 'a'), decided(hooks, 'b'), decided(hooks, 'c')])
    const seen: string[] = []
    for await (const { request, signal, approve, deny } of hooks) {
      seen.push(request.callId)
      expect(signal.aborted).toBe(false)
      if (request.callId === 'a') expect(approve()).toBe(true)
      else expect(deny(request.callId === 'b' ? 'no' : undefined)).toBe(true)
      expect(signal.aborted).toBe(true)
      expect(approve()).toBe(false)
      if (seen.length === 3) break
    }
    expect(seen).toEqual(['a', 'b', 'c'])
    expect(await all).toEqual([{ approved: true }, { approved: false, reason: 'no' }, { approved: false }])
  })

  it('have no members that would be taken for hook points', () => {
    expect(Object.keys(approvals()).toSorted()).toEqual(['approval', 'name'])
  })

  it('wait for somebody to iterate, until the time is over', async () => {
    const hooks = approvals({ timeoutMs: 1000 })
    const [early, late] = [decided(hooks, 'early'), decided(hooks, 'late')]
    await vi.advanceTimersByTimeAsync(999)
    const reader = hooks[Symbol.asyncIterator]()
    const { value } = await reader.next()
    expect(value?.request.callId).toBe('early')
    value?.approve()
    expect(await early).toEqual({ approved: true })
    await vi.advanceTimersByTimeAsync(1)
    expect(await late).toEqual(refused('in time'))
    // What is over is not shown to anybody.
    const next = reader.next()
    expect(await settled(next)).toBe(false)
    await reader.return?.()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('tell whoever shows one that its time is over', async () => {
    const hooks = approvals({ timeoutMs: 1000 })
    const decision = decided(hooks)
    const { value } = await hooks[Symbol.asyncIterator]().next()
    await vi.advanceTimersByTimeAsync(1000)
    expect(await decision).toEqual(refused('in time'))
    expect([value?.signal.aborted, value?.approve()]).toEqual([true, false])
  })

  it('are dropped with their run', async () => {
    const hooks = approvals()
    const run = new AbortController()
    const [gone, shown] = ['gone', 'shown'].map((id) => decided(hooks, id, { signal: run.signal }))
    run.abort(new Error('stopped'))
    await expect(gone).rejects.toThrow('stopped')
    await expect(shown).rejects.toThrow('stopped')
    const other = decided(hooks, 'other')
    const { value } = await hooks[Symbol.asyncIterator]().next()
    expect(value?.request.callId).toBe('other')
    value?.approve()
    expect(await other).toEqual({ approved: true })
  })

  it('go each to one of several who iterate', async () => {
    const hooks = approvals()
    const readers = [hooks[Symbol.asyncIterator](), hooks[Symbol.asyncIterator]()]
    const seen = readers.map((reader) => reader.next())
    const decisions = [decided(hooks, 'a'), decided(hooks, 'b')]
    const given = (await Promise.all(seen)).map(({ value }) => value)
    expect(given.map((approval) => approval?.request.callId).toSorted()).toEqual(['a', 'b'])
    for (const approval of given) approval?.approve()
    expect(await Promise.all(decisions)).toEqual([{ approved: true }, { approved: true }])
  })

  it('are refused of one who leaves, and go on with the others', async () => {
    const hooks = approvals()
    const [one, other] = [hooks[Symbol.asyncIterator](), hooks[Symbol.asyncIterator]()]
    const shown = decided(hooks, 'shown')
    await one.next()
    await one.return?.()
    expect(await shown).toEqual(refused('Nobody is there'))
    const later = decided(hooks, 'later')
    ;(await other.next()).value?.approve()
    expect(await later).toEqual({ approved: true })
    await other.return?.()
    expect(await decided(hooks, 'after')).toEqual(refused('Nobody is there'))
  })

  it('are refused once it is closed: what is shown, what waits, what comes later', async () => {
    const hooks = approvals()
    const asked = [decided(hooks, 'shown'), decided(hooks, 'waiting')]
    const reader = hooks[Symbol.asyncIterator]()
    const { value } = await reader.next()
    await hooks[Symbol.asyncDispose]()
    for (const decision of [...asked, decided(hooks, 'later')]) {
      expect(await decision).toEqual(refused('Nobody is there'))
    }
    expect([value?.signal.aborted, value?.approve()]).toEqual([true, false])
    expect(await reader.next()).toEqual({ done: true, value: undefined })
    for await (const _ of hooks) expect.unreachable()
  })

  it('are refused when nobody ever iterated and it is closed', async () => {
    const hooks = approvals()
    const waiting = decided(hooks)
    expect(await settled(waiting)).toBe(false)
    await hooks[Symbol.asyncDispose]()
    expect(await waiting).toEqual(refused('Nobody is there'))
  })

  it('are decided once, by one, and never approved by anything but approve', async () => {
    const step = fc.constantFrom('ask', 'next', 'approve', 'deny', 'abort', 'pass', 'leave', 'open', 'close')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const hooks = approvals({ timeoutMs: 1000 })
        const readers = [hooks[Symbol.asyncIterator]()]
        const runs: AbortController[] = []
        const shown: { readonly callId: string; readonly answer: (approved: boolean) => boolean }[] = []
        const approved = new Set<string>()
        const outcomes: Promise<readonly [string, boolean]>[] = []
        for (const [index, name] of steps.entries()) {
          const reader = readers[index % readers.length]
          if (name === 'ask') {
            const run = new AbortController()
            runs.push(run)
            const callId = `c${index}`
            const outcome = decided(hooks, callId, { signal: run.signal })
            outcomes.push(
              outcome.then(
                (decision) => [callId, decision?.approved === true],
                () => [callId, false],
              ),
            )
          } else if (name === 'next') {
            void reader?.next().then(({ value }) => {
              if (!value) return
              expect(shown.some(({ callId }) => callId === value.request.callId)).toBe(false)
              const answer = (yes: boolean) => (yes ? value.approve() : value.deny())
              shown.push({ callId: value.request.callId, answer })
            })
          } else if (name === 'approve' || name === 'deny') {
            const approval = shown[index % (shown.length || 1)]
            if (approval?.answer(name === 'approve') && name === 'approve') approved.add(approval.callId)
          } else if (name === 'abort') runs[index % (runs.length || 1)]?.abort(new Error('stopped'))
          else if (name === 'pass') await vi.advanceTimersByTimeAsync(400)
          else if (name === 'leave') await reader?.return?.()
          else if (name === 'open') readers.push(hooks[Symbol.asyncIterator]())
          else if (index % 4 === 0) await hooks[Symbol.asyncDispose]()
          await vi.advanceTimersByTimeAsync(0)
        }
        await hooks[Symbol.asyncDispose]()
        for (const [callId, yes] of await Promise.all(outcomes)) expect(yes).toBe(approved.has(callId))
      }),
      { numRuns: 300 },
    )
  })
})
