import { isOrraError, Namespace, type Runtime, type WhenBusy } from '@orra/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  ApprovalWorld,
  BOSS,
  isExpected,
  type Mood,
  type PolicyMode,
  type Reply,
  ROOT,
  SESSIONS,
  type ToolName,
  type WorldOptions,
} from './approval-world.ts'
import { routes, travel } from './policy-routes.ts'

// What is approved runs, and nothing else does: whoever asks, decides, stops, dies or changes policies, in whatever order.

/** Cases of each; 400 take a few seconds, 20,000 some minutes. What fails is played again by its seed and path. */
const RUNS = 400

const session = fc.nat({ max: SESSIONS.length - 1 })
const whenBusy = fc.constantFrom<WhenBusy>('queue', 'queue', 'queue', 'steer', 'interrupt', 'reject')
const key = fc.constantFrom(undefined, undefined, undefined, 'k1', 'k2')
const abort = fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat({ max: 60 }) })
const just = <const T extends string>(type: T) => fc.constant(type)

const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: just('run'), session, whenBusy, key, abort }) },
  { weight: 2, arbitrary: fc.record({ type: just('submit'), session, whenBusy, key }) },
  { weight: 3, arbitrary: fc.record({ type: just('resume'), session, abort }) },
  { weight: 2, arbitrary: fc.record({ type: just('recover') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: just('decide'),
      which: fc.nat({ max: 5 }),
      thinks: fc.nat({ max: 60 }),
      isLate: fc.constantFrom(false, false, false, true),
      approved: fc.boolean(),
      by: fc.constantFrom('asking', 'asking', 'boss', 'boss', 'parent', 'neighbour', 'child', 'stranger'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: just('decide-nothing'), session, approved: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ type: just('wait'), steps: fc.nat({ max: 100 }) }) },
  { weight: 1, arbitrary: fc.record({ type: just('reopen') }) },
  { weight: 1, arbitrary: fc.record({ type: just('delete'), session, isWhole: fc.boolean() }) },
  // Another process comes into play; leases run out; so does what waits for a decision.
  { weight: 1, arbitrary: fc.record({ type: just('switch') }) },
  { weight: 2, arbitrary: fc.record({ type: just('pass'), ms: fc.constantFrom(20_000, 60_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: just('policies'),
      mode: fc.constantFrom<PolicyMode>('open', 'open', 'denied', 'raised', 'unreachable'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: just('mood'),
      mood: fc.constantFrom<Mood>('approves', 'approves', 'refuses', 'does not know', 'does not know', 'throws'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: just('shift'), by: fc.nat({ max: 1 }) }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

const reply: fc.Arbitrary<Reply> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: just('text') }) },
  { weight: 1, arbitrary: fc.record({ type: just('failure') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: just('calls'),
      calls: fc.array(
        fc.record({
          tool: fc.constantFrom<ToolName>('remove', 'remove', 'sync', 'look', 'ask'),
          id: fc.nat({ max: 2 }),
          isOldId: fc.boolean(),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  },
)

/** Plays the operations one upon the other, then decides of all that waits until nothing is open. */
async function play(world: ApprovalWorld, operations: readonly Operation[]): Promise<void> {
  const runtimes = [world.open(), world.open()]
  let current = 0
  const all: Promise<unknown>[] = []
  const settled = (work: Promise<unknown>) =>
    all.push(work.catch((error: unknown) => void (isExpected(error) || world.wrong.push(`threw ${error}`))))
  const after = async (steps: number, stop: AbortController) => {
    for (let index = 0; index < steps; index += 1) await world.step('time passes')
    stop.abort()
  }
  for (const made of operations) {
    await world.step('next')
    const orra = runtimes[current] as Runtime
    const stop = new AbortController()
    const asked = 'session' in made ? (SESSIONS[made.session] as Namespace) : ROOT
    if ('abort' in made && made.abort !== null) settled(after(made.abort, stop))
    const { signal } = stop
    switch (made.type) {
      case 'run':
        settled(
          orra.run(asked, 'Go', {
            signal,
            maxTurns: 2,
            whenBusy: made.whenBusy,
            ...(made.key ? { key: made.key } : {}),
          }),
        )
        break
      case 'submit':
        settled(
          orra.submit(asked, 'Go', { maxTurns: 2, whenBusy: made.whenBusy, ...(made.key ? { key: made.key } : {}) }),
        )
        break
      case 'resume':
        settled(orra.resume(asked, { signal }))
        break
      case 'recover':
        settled(orra.recover({ untilIdle: true, maxParallel: 2, pollMs: 1 }))
        break
      case 'decide':
        settled(decideOne(world, orra, made))
        break
      case 'decide-nothing':
        settled(expectGone(world, orra.decide(asked, 'none', { approved: made.approved, by: asked })))
        break
      case 'wait':
        for (let index = 0; index < made.steps; index += 1) await world.step('waits')
        break
      case 'reopen':
        settled(orra.close())
        runtimes[current] = world.open()
        break
      case 'delete':
        settled(made.isWhole ? orra.erase(asked) : orra.session(asked).delete())
        break
      case 'switch':
        current = 1 - current
        break
      case 'pass':
        world.pass(made.ms)
        break
      case 'policies':
        world.setPolicies(made.mode)
        break
      case 'mood':
        world.mood = made.mood
        break
      case 'shift':
        world.shift = made.by
        break
    }
  }
  await world.until(comeToRest(world, runtimes[current] as Runtime, Promise.all(all)))
  await world.until(Promise.all(runtimes.map((runtime) => runtime.close())))
}

async function comeToRest(world: ApprovalWorld, orra: Runtime, all: Promise<unknown>): Promise<void> {
  world.setPolicies('open')
  world.mood = 'does not know'
  world.shift = 0
  let isOver = false
  const over = all.then(() => {
    isOver = true
  })
  // A process may still be about to write what it has done; what is stuck stays so.
  const roundsOf = new Map<string, number>()
  for (let round = 0; !isOver || !(await world.isIdle()); round += 1) {
    // Leases of processes that were closed run out.
    world.pass(20_000)
    await orra.recover({ untilIdle: true, pollMs: 1 })
    const stuck = isOver ? await world.stuck(orra) : []
    for (const key of stuck) {
      const rounds = (roundsOf.get(key) ?? 0) + 1
      roundsOf.set(key, rounds)
      if (rounds === 20) world.wrong.push(`nobody ends what is open in ${key}`)
    }
    for (const key of roundsOf.keys()) if (!stuck.includes(key)) roundsOf.delete(key)
    if (world.wrong.length > 0 && isOver) return
    await decideAll(world, orra, round % 2 === 0)
    await world.step('a round')
  }
  await over
  await world.check(orra)
}

async function decideAll(world: ApprovalWorld, orra: Runtime, approved: boolean): Promise<void> {
  for await (const request of orra.approvals(ROOT)) {
    const namespace = Namespace.parse(request.namespace)
    const by = [namespace, BOSS].find((principal) => world.mayDecide(principal, namespace)) as Namespace
    await orra.decide(namespace, request.callId, { approved, by }).catch((error: unknown) => {
      if (!isOrraError(error, 'approval.gone')) throw error
    })
  }
}

async function decideOne(
  world: ApprovalWorld,
  orra: Runtime,
  { which, thinks, isLate, approved, by }: Extract<Operation, { type: 'decide' }>,
): Promise<void> {
  const waiting = []
  for await (const request of orra.approvals(ROOT)) waiting.push(request)
  const request = waiting[which % Math.max(1, waiting.length)]
  if (!request) return
  for (let index = 0; index < thinks; index += 1) await world.step('somebody thinks')
  if (isLate) world.pass(60_000)
  const namespace = Namespace.parse(request.namespace)
  const principals = {
    asking: namespace,
    parent: ROOT,
    boss: BOSS,
    neighbour: SESSIONS.find((other) => !other.contains(namespace)) ?? BOSS,
    child: namespace.child('agent'),
    stranger: Namespace.of('t2'),
  }
  const principal = principals[by]
  try {
    await orra.decide(namespace, request.callId, { approved, by: principal, inputHash: request.inputHash })
  } catch (error) {
    if (!isOrraError(error, 'approval.gone', 'approval.forbidden')) throw error
    const isForbidden = isOrraError(error, 'approval.forbidden')
    if (isForbidden && world.mayDecide(principal, namespace)) world.wrong.push(`${by} may not decide`)
    return
  }
  world.noteDecision(request)
  if (!world.mayDecide(principal, namespace)) world.wrong.push(`${by} may decide`)
}

async function expectGone(world: ApprovalWorld, deciding: Promise<void>): Promise<void> {
  await deciding.then(
    () => world.wrong.push('nothing was decided of'),
    (error: unknown) => {
      if (!isOrraError(error, 'approval.gone')) throw error
    },
  )
}

describe('whatever is asked in whatever order', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('what was approved runs once, and nothing that was not', async () => {
    const options: fc.Arbitrary<WorldOptions> = fc.record({
      replies: fc.array(reply, { minLength: 1, maxLength: 6 }),
      suspend: fc.constantFrom(true, true, true, false),
      hasBoss: fc.boolean(),
      isAsync: fc.boolean(),
    })
    const operations = fc.array(operation, { minLength: 1, maxLength: 16 })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), options, operations, async (scheduler, options, made) => {
        const world = new ApprovalWorld(scheduler, options)
        await scheduler.waitFor(play(world, made))
        expect(world.wrong).toEqual([])
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
  }, 3_600_000)
})

describe('whatever policies there are', () => {
  it('nobody runs what is denied to them or to anyone above them, and everybody runs the rest', async () => {
    const reached = new Set<number>()
    await fc.assert(
      fc.asyncProperty(routes, async (route) => {
        const { ran, allowed } = await travel(SESSIONS[0] as Namespace, route)
        expect(ran).toEqual(allowed)
        for (const key of Object.keys(ran)) reached.add(key.split(':agent:').length - 1)
      }),
      { numRuns: RUNS },
    )
    // Else it was not tried what was to be tried.
    expect([...reached].sort()).toEqual([0, 1, 2])
  }, 3_600_000)
})
