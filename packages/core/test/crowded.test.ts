import type { ScriptStep } from '@orra/conformance'
import { type Hooks, memoryStore, Namespace, type Policies, type RunEvent, type Store } from '@orra/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { alice, announced, aSwitch, bob, collect, logOf, type Switch, scripted } from './harness.ts'

const acme = Namespace.of('tenant', 'acme')
const oneAtATime: Policies = { 'tenant:*': { limits: { concurrentRuns: 1 } } }
const user = (name: string | number) => acme.child('user', `${name}`)

/** Each reply is one turn of the event loop away; says which users were answered, in order. */
function answering(count: number) {
  const answered: string[] = []
  const step: ScriptStep = ({ messages }) => {
    answered.push(/\w+/.exec(JSON.stringify(messages.at(-1)?.content).replace(/.*"text":"/, ''))?.[0] ?? '')
    return { text: 'Hi.', before: new Promise((resolve) => setImmediate(resolve)) }
  }
  return { answered, steps: Array.from({ length: count }, () => step) }
}

/** A store that counts what it is asked for, by name. */
function counted(store: Store): { readonly store: Store; readonly asked: Map<string, number> } {
  const asked = new Map<string, number>()
  const counting = <T extends object>(part: T, prefix: string): T =>
    new Proxy(part, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          const key = `${prefix}.${String(name)}`
          asked.set(key, (asked.get(key) ?? 0) + 1)
          return Reflect.apply(value, target, args)
        }
      },
    })
  const { sessions, counters } = store
  return {
    store: { ...store, sessions: counting(sessions, 'sessions'), counters: counting(counters, 'counters') },
    asked,
  }
}

/** A first turn that holds the one place until it is let go. */
function holding(): { readonly begun: Switch; readonly free: Switch; readonly step: ScriptStep } {
  const [begun, free] = [aSwitch(), aSwitch()]
  return { begun, free, step: announced(begun, { text: 'First.', before: free.promise }) }
}

afterEach(() => void vi.useRealTimers())

describe('sessions that wait for a place among runs', () => {
  it('are all recovered one after another, without waiting for anything but each other', async () => {
    const { steps, answered } = answering(24)
    const { store, asked } = counted(memoryStore())
    const { orra } = scripted(steps, { store, policies: oneAtATime })
    for (let index = 0; index < 24; index += 1) await orra.submit(user(`u${index}`), `u${index} asks`)
    const began = performance.now()
    await orra.recover({ untilIdle: true, pollMs: 100 })
    expect(answered).toHaveLength(24)
    expect(new Set(answered).size).toBe(24)
    // One is taken up when the one before it is done, and not when some time is over.
    expect(performance.now() - began).toBeLessThan(2000)
    expect(asked.get('counters.reserve')).toBeLessThan(24 * 3)
  })

  it('leave nobody out who is not below the limit, however many wait', async () => {
    const { begun, free, step } = holding()
    const { orra, provider } = scripted([step, 'Other.', ...answering(12).steps], { policies: oneAtATime })
    for (let index = 0; index < 12; index += 1) await orra.submit(user(index), 'Hello')
    const stop = new AbortController()
    const recovering = orra.recover({ signal: stop.signal, maxParallel: 2, pollMs: 60_000 })
    await begun.promise
    const other = Namespace.of('tenant', 'other')
    await orra.submit(other, 'Hello')
    for await (const event of orra.session(other).watch()) {
      if (event.type === 'entry' && event.entry.type === 'run-ended') break
    }
    expect(provider.requests).toHaveLength(2)
    stop.abort()
    free.on()
    await recovering
  })

  it('have their turns in the order in which they came, however much one of them has to do', async () => {
    const { begun, free, step } = holding()
    const { answered, steps } = answering(9)
    const { orra } = scripted([step, ...steps], { policies: oneAtATime })
    const all = [orra.run(bob, 'bob asks first')]
    await begun.promise
    for (let index = 0; index < 5; index += 1) all.push(orra.run(bob, 'bob asks'))
    for (const name of ['alice', 'carol', 'alice', 'dave']) {
      all.push(orra.run(user(name), `${name} asks`))
      await nextTurn()
    }
    free.on()
    await Promise.all(all)
    expect(answered).toEqual(['alice', 'carol', 'dave', 'bob', 'alice', 'bob', 'bob', 'bob', 'bob'])
  })

  it('go before one that another process has much to do in', async () => {
    const store = memoryStore()
    const { begun, free, step } = holding()
    const { steps } = answering(40)
    const first = scripted([step, ...steps], { store, policies: oneAtATime })
    const second = scripted(['Hello, Alice.'], { store, policies: oneAtATime })
    let bobs = 0
    const flood = Array.from({ length: 40 }, () => first.orra.run(bob, 'bob asks').then(() => ++bobs))
    await begun.promise
    const events = second.orra.stream(alice, 'alice asks')[Symbol.asyncIterator]()
    expect((await events.next()).value).toEqual({ type: 'waiting' })
    while (!(await store.counters.list({ namespace: acme })).items.some(isWaitedFor)) await nextTurn()
    free.on()
    await drained(events)
    expect(bobs).toBeLessThan(10)
    await Promise.all(flood)
    expect((await store.counters.list({ namespace: acme })).items.filter(({ reserved }) => reserved > 0)).toEqual([])
  })

  it('are told so once, and ask the store for little while they wait', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const { begun, free, step } = holding()
    const { store, asked } = counted(memoryStore())
    const { orra } = scripted([step, 'Second.'], { store, policies: oneAtATime })
    const one = orra.run(bob, 'Hello')
    await begun.promise
    const events = collect(orra.stream(alice, 'Hello'))
    await vi.advanceTimersByTimeAsync(10_000)
    const [claims = 0, reserves = 0] = [asked.get('sessions.claim'), asked.get('counters.reserve')]
    free.on()
    await one
    expect((await events).filter(({ type }) => type === 'waiting')).toHaveLength(1)
    expect(claims).toBeLessThan(20)
    expect(reserves).toBeLessThan(3)
  })

  it('wait at one limit only, and stop nobody who has a place at it', async () => {
    const policies: Policies = {
      'tenant:*': { limits: { concurrentRuns: 2 } },
      'tenant:*:user:*': { limits: { concurrentRuns: 1 } },
    }
    const { begun, free, step } = holding()
    const { orra } = scripted([step, 'For Alice.', 'Second.', 'Third.'], { policies })
    const bobs = [orra.run(bob.child('chat', '1'), 'Hello')]
    await begun.promise
    const told = [2, 3].map((chat) => {
      const { promise, on } = aSwitch()
      bobs.push(drained(heard(orra.stream(bob.child('chat', `${chat}`), 'Hello'), 'waiting', on)) as never)
      return promise
    })
    await Promise.all(told)
    expect(await orra.run(alice, 'Hello')).toMatchObject({ text: 'For Alice.' })
    free.on()
    await Promise.all(bobs)
  })

  it('leave the line when nobody wants their answer any more', async () => {
    const { begun, free, step } = holding()
    const { orra, provider } = scripted([step, 'For Carol.'], { policies: oneAtATime })
    const one = orra.run(bob, 'Hello')
    await begun.promise
    const stop = new AbortController()
    const left = collect(heard(orra.stream(alice, 'Hello', { signal: stop.signal }), 'waiting', () => stop.abort()))
    expect((await left).at(-1)).toMatchObject({ type: 'run-end', reason: 'aborted' })
    const carol = orra.run(user('carol'), 'Hello')
    free.on()
    expect(await carol).toMatchObject({ text: 'For Carol.' })
    await one
    expect(await logOf(orra, alice)).toEqual(['input: Hello', 'withdrawn'])
    expect(provider.requests).toHaveLength(2)
  })
})

/** Which chat of which user says something to which process, at once or by submitting it, and when it is left. */
const said = fc.record({
  user: fc.nat({ max: 2 }),
  chat: fc.nat({ max: 2 }),
  process: fc.nat({ max: 1 }),
  isSubmitted: fc.boolean(),
  leaves: fc.option(fc.nat({ max: 300 }), { freq: 6 }),
  later: fc.nat({ max: 100 }),
})

it('never are more at work than may be, and all are answered, whatever happens in which process', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 12 }), fc.nat({ max: 2 }), async (all, perUser) => {
      vi.useFakeTimers({
        toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
      })
      const store = memoryStore()
      const now = new Map<string, number>()
      const wrong: string[] = []
      const most = { 'tenant:acme': 2, ...(perUser > 0 ? { 'tenant:acme:user:*': perUser } : {}) }
      const policies = Object.fromEntries(
        Object.entries(most).map(([pattern, concurrentRuns]) => [pattern, { limits: { concurrentRuns } }]),
      )
      const count = (key: string, by: number, limit: number) => {
        now.set(key, (now.get(key) ?? 0) + by)
        if ((now.get(key) ?? 0) > limit) wrong.push(`${now.get(key)} at once: ${key}`)
      }
      const hooks: Hooks = {
        sessionLoaded({ namespace }) {
          count('acme', 1, 2)
          count(namespace.segments[3] ?? '', 1, perUser || 9)
        },
        runEnd({ namespace }) {
          count('acme', -1, 2)
          count(namespace.segments[3] ?? '', -1, perUser || 9)
        },
      }
      const step: ScriptStep = () => ({ text: 'Hi.', before: new Promise((resolve) => setTimeout(resolve, 30)) })
      const steps = Array.from({ length: 12 }, () => step)
      const processes = [0, 1].map(() => scripted(steps, { store, policies, hooks: [hooks] }).orra)
      const stop = new AbortController()
      const recovering = processes.map((orra) => orra.recover({ signal: stop.signal, maxParallel: 2 }))
      const answers = all.map(async ({ user: name, chat, process, isSubmitted, leaves, later }) => {
        const namespace = user(name).child('chat', `${chat}`)
        const orra = processes[process] as (typeof processes)[number]
        await new Promise((resolve) => setTimeout(resolve, later))
        if (isSubmitted) return void (await orra.submit(namespace, 'Hello'))
        const left = new AbortController()
        if (leaves !== null) setTimeout(() => left.abort(), leaves)
        const { reason } = await orra.run(namespace, 'Hello', { signal: left.signal })
        if (reason !== (left.signal.aborted ? 'aborted' : 'completed') && leaves === null) wrong.push(reason)
      })
      let isDone = false
      const done = (async () => {
        await Promise.all(answers)
        while ((await store.sessions.list({ pending: true })).items.length > 0) {
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      })().finally(() => {
        isDone = true
      })
      // More than enough for all of them, one after another, in two processes that let each other go first.
      for (let steps = 0; steps < 3000 && !isDone; steps += 1) await vi.advanceTimersByTimeAsync(20)
      expect([isDone, wrong]).toEqual([true, []])
      await done
      stop.abort()
      await vi.advanceTimersByTimeAsync(2000)
      await Promise.all(recovering)
      const { items } = await store.counters.list({ within: acme })
      expect(items.filter(({ reserved }) => reserved > 0)).toEqual([])
      expect(vi.getTimerCount()).toBe(0)
    }),
    { numRuns: 40 },
  )
})

describe('policies that cannot be had for a while', () => {
  function outage() {
    let isAway = false
    let asked = 0
    const policies = {
      policiesFor() {
        asked += 1
        if (isAway) throw new Error('The database is away.')
        return {}
      },
    }
    return {
      policies,
      set: (away: boolean) => {
        isAway = away
      },
      get asked() {
        return asked
      },
    }
  }

  it('have what was accepted wait until they can be had again', async () => {
    const source = outage()
    const { orra, provider } = scripted(['One.', 'Two.', 'Three.'], { policies: source.policies })
    for (const text of ['1', '2', '3']) await orra.submit(bob, text)
    source.set(true)
    const told = aSwitch()
    const events: RunEvent[] = []
    const resumed = orra.resume(bob, {
      onEvent(event) {
        events.push(event)
        if (event.type === 'waiting') told.on()
      },
    })
    await told.promise
    expect(provider.requests).toHaveLength(0)
    expect(await logOf(orra)).toEqual(['input: 1', 'input: 2', 'input: 3'])
    source.set(false)
    expect(await resumed).toMatchObject({ reason: 'completed', text: 'Three.' })
    expect(events.filter(({ type }) => type === 'waiting')).toHaveLength(1)
  })

  it('have recovering wait, which asks for them now and then', async () => {
    const source = outage()
    const { orra, provider } = scripted(['One.', 'Two.'], { policies: source.policies })
    for (const text of ['1', '2']) await orra.submit(bob, text)
    source.set(true)
    const before = source.asked
    const stop = new AbortController()
    const told: unknown[] = []
    const onError = (error: unknown) => void told.push(error)
    const recovering = orra.recover({ signal: stop.signal, pollMs: 5, onError })
    while (source.asked < before + 3) await nextTurn()
    expect(provider.requests).toHaveLength(0)
    expect(told[0]).toMatchObject({ code: 'policy.unreachable' })
    source.set(false)
    while (provider.requests.length < 2) await nextTurn()
    stop.abort()
    await recovering
    expect((await logOf(orra)).filter((line) => line === 'run-ended completed')).toHaveLength(2)
  })

  it('let go of a message whose sender leaves', async () => {
    const source = outage()
    const { orra } = scripted([], { policies: source.policies })
    const stop = new AbortController()
    const { policiesFor } = source.policies
    // Away from when the message was accepted.
    source.policies.policiesFor = () => {
      const given = policiesFor()
      source.set(true)
      return given
    }
    const events = collect(heard(orra.stream(bob, 'Hello', { signal: stop.signal }), 'waiting', () => stop.abort()))
    expect((await events).map(({ type }) => type)).toEqual(['waiting', 'run-end'])
    expect(await logOf(orra)).toEqual(['input: Hello', 'withdrawn'])
  })
})

const isWaitedFor = ({ counter, reserved }: { readonly counter: string; readonly reserved: number }) =>
  counter === 'concurrent-waiting' && reserved > 0

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

async function* heard(events: AsyncIterable<RunEvent>, type: RunEvent['type'], on: () => void) {
  for await (const event of events) {
    if (event.type === type) on()
    yield event
  }
}

async function drained(events: AsyncIterator<RunEvent> | AsyncGenerator<RunEvent>): Promise<never> {
  while (!(await events.next()).done);
  return undefined as never
}
