import {
  createRuntime,
  defineTool,
  type Entry,
  isOrraError,
  type Message,
  memoryStore,
  Namespace,
  type Provider,
  type Runtime,
  type Store,
  type WhenBusy,
} from '@orra/core'
import fc, { type Scheduler } from 'fast-check'
import { expect, it } from 'vitest'

// Whatever is asked of a runtime, in whatever order the store, the model and the tools come along: what README.md
// promises must hold. The scheduler decides the order, so that a failure can be played again.

const SESSIONS = [Namespace.of('a'), Namespace.of('b')] as const

const session = fc.nat({ max: 1 })
const whenBusy = fc.constantFrom<WhenBusy>('queue', 'queue', 'steer', 'interrupt', 'reject')
/** Of a key that others may have, or of none. */
const key = fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined, freq: 2 })
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('run' as const),
      session,
      whenBusy,
      key,
      abort: fc.option(fc.nat({ max: 12 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('submit' as const), session, whenBusy, key }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('recover' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('stream' as const), session, leaveAfter: fc.nat({ max: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('resume' as const), session, abort: fc.option(fc.nat({ max: 6 })) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), session }) },
  // Another process comes into play; and every lease that is held runs out.
  { weight: 1, arbitrary: fc.record({ type: fc.constant('switch' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('expire' as const) }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

const reply = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ type: 'text' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'failure' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('calls' as const),
      tools: fc.array(fc.constantFrom('effect', 'look', 'fail', 'unknown'), { minLength: 1, maxLength: 3 }),
    }),
  },
)
type Reply = typeof reply extends fc.Arbitrary<infer T> ? T : never

/** One world: a store, a model and tools whose every step the scheduler lets happen, and what must not happen. */
class World {
  readonly effects: string[] = []
  readonly wrong: string[] = []
  private readonly scheduler: Scheduler
  private readonly replies: readonly Reply[]
  private readonly store: Store
  private calls = 0
  private time = 1_700_000_000_000
  private steps = 0

  constructor(scheduler: Scheduler, replies: readonly Reply[]) {
    this.scheduler = scheduler
    this.replies = replies
    const store = memoryStore({ now: () => this.time })
    const slowly =
      <Args extends unknown[], T>(name: string, work: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        await this.step(`${name} begins`)
        const result = await work(...args)
        await this.step(`${name} ends`)
        return result
      }
    const { append, read, head, claim } = store.sessions
    this.store = {
      ...store,
      sessions: {
        ...store.sessions,
        append: slowly('append', append),
        read: slowly('read', read),
        head: slowly('head', head),
        claim: slowly('claim', claim),
      },
    }
  }

  step(name: string): Promise<unknown> {
    this.steps += 1
    if (this.steps > 5000) throw new Error('It goes round and round.')
    return this.scheduler.schedule(Promise.resolve(), name)
  }

  open() {
    const effect = async (_: object, { callId }: { callId: string }) => {
      this.effects.push(callId)
      await this.step('effect')
      return 'done'
    }
    const fail = async () => {
      await this.step('fail')
      throw new Error('failed')
    }
    return createRuntime({
      provider: this.provider(),
      store: this.store,
      maxParallelTools: 2,
      tools: [
        defineTool({ name: 'effect', description: 'Has an effect.', execute: effect }),
        defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'seen' }),
        defineTool({ name: 'fail', description: 'Fails.', execute: fail }),
      ],
    })
  }

  private provider(): Provider {
    const world = this
    return {
      name: 'model',
      model: 'model-1',
      async *stream({ messages }) {
        world.wrong.push(...illegalities(messages))
        await world.step('model begins')
        const made = world.replies[world.calls++ % world.replies.length] as Reply
        if (made.type === 'failure') throw new Error('The model failed.')
        yield { type: 'text-delta', text: 'Hm.' }
        await world.step('model ends')
        const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
        const text = { type: 'text', text: 'Hm.' } as const
        const tools = made.type === 'calls' ? made.tools : []
        const calls = tools.map(
          (name) => ({ type: 'tool-call', callId: crypto.randomUUID(), name, input: {} }) as const,
        )
        const stopReason = calls.length > 0 ? 'tool-calls' : 'stop'
        yield {
          type: 'finish',
          message: { role: 'assistant', content: [text, ...calls] },
          stopReason,
          usage,
          model: 'model-1',
        }
      },
    }
  }

  /** Plays the operations one upon the other, then lets everything come to rest. */
  async play(operations: readonly Operation[]): Promise<void> {
    const runtimes = [this.open(), this.open()]
    let current = 0
    const all: Promise<unknown>[] = []
    // Whoever resumes a run of a process whose lease ran out may stop it, too; so may one who interrupts.
    const othersStop = operations.some(
      (made) =>
        (made.type === 'resume' && made.abort !== null) ||
        ('whenBusy' in made && made.whenBusy === 'interrupt') ||
        // Who steers a run shares its end.
        ('whenBusy' in made && made.whenBusy === 'steer') ||
        // Or whoever has the same key.
        ('key' in made && made.key !== undefined),
    )
    const after = async (steps: number, stop: AbortController) => {
      for (let index = 0; index < steps; index += 1) await this.step('time passes')
      stop.abort()
    }
    for (const made of operations) {
      await this.step('next')
      const stop = new AbortController()
      if (made.type === 'switch') current = 1 - current
      if (made.type === 'expire') this.time += 60_000
      const orra = runtimes[current] as Runtime
      if (made.type === 'reopen') {
        all.push(orra.close())
        runtimes[current] = this.open()
      }
      if (made.type === 'recover') all.push(this.settled(orra.recover({ untilIdle: true, maxParallel: 1, pollMs: 1 })))
      if (!('session' in made)) continue
      const namespace = SESSIONS[made.session] as Namespace
      if (made.type === 'delete') {
        all.push(orra.session(namespace).delete())
      } else if (made.type === 'resume') {
        all.push(this.settled(orra.resume(namespace, { signal: stop.signal })))
        if (made.abort !== null) all.push(after(made.abort, stop))
      } else if (made.type === 'submit') {
        const { whenBusy, key } = made
        all.push(this.settled(orra.submit(namespace, 'Hello', { whenBusy, ...(key === undefined ? {} : { key }) })))
      } else if (made.type === 'run') {
        const asked = { whenBusy: made.whenBusy, ...(made.key === undefined ? {} : { key: made.key }) }
        const run = orra.run(namespace, 'Hello', { signal: stop.signal, maxTurns: 3, ...asked })
        all.push(this.settled(run.then(({ reason }) => this.noteReason(reason, othersStop || made.abort !== null))))
        if (made.abort !== null) all.push(after(made.abort, stop))
      } else {
        const reading = async () => {
          let left = made.leaveAfter
          for await (const _ of orra.stream(namespace, 'Hello', { maxTurns: 3 })) if (left-- === 0) break
        }
        all.push(this.settled(reading()))
      }
    }
    await Promise.all(all)
    const last = runtimes[current] as Runtime
    for (const namespace of SESSIONS) {
      // A run that fails is over all the same.
      await last.resume(namespace).catch(() => undefined)
      await this.check(namespace)
    }
    await Promise.all(runtimes.map((runtime) => runtime.close()))
  }

  /** Failures that are part of the game; any other is wrong. */
  private async settled(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => {
      const expected = isOrraError(error, 'unknown', 'runtime.closed', 'session.deleted', 'run.failed', 'session.busy')
      if (!expected && !(error instanceof DOMException)) this.wrong.push(`threw ${error}`)
    })
  }

  private noteReason(reason: string, aborts: boolean): void {
    if (reason === 'aborted' && !aborts) this.wrong.push('aborted without being asked to')
  }

  private async check(namespace: Namespace): Promise<void> {
    const head = await this.store.sessions.head(namespace)
    if (head && (head.inbox.length > 0 || head.openRun)) this.wrong.push(`left open: ${JSON.stringify(head)}`)
    const entries = await this.store.sessions.read(namespace, { limit: 100_000 })
    this.wrong.push(...disorder(entries.map(({ entry }) => entry)))
    if (new Set(this.effects).size !== this.effects.length) this.wrong.push('an effect twice')
  }
}

/** What is illegal in a request: it must begin with a user, and every call must be followed by its result. */
function illegalities(messages: readonly Message[]): readonly string[] {
  const wrong: string[] = []
  const open = new Set<string>()
  if (messages[0]?.role !== 'user') wrong.push('a request begins without a user')
  for (const { role, content } of messages) {
    if (role !== 'tool' && open.size > 0) wrong.push(`a call without its result before ${role}`)
    for (const part of content) {
      if (part.type === 'tool-call') open.add(part.callId)
      if (part.type === 'tool-result' && !open.delete(part.callId)) wrong.push('a result without its call')
    }
  }
  if (open.size > 0) wrong.push('a request ends with open calls')
  return wrong
}

/** What is out of order in a log: runs one after the other, every input taken once or withdrawn. */
function disorder(entries: readonly Entry[]): readonly string[] {
  const wrong: string[] = []
  const waiting = new Set<string>()
  let run: string | undefined
  const keys = new Set<string>()
  for (const entry of entries) {
    if (entry.type === 'input') waiting.add(entry.key)
    if (entry.type === 'input' && keys.size === keys.add(entry.key).size) wrong.push('a key accepted twice')
    if (entry.type === 'input-withdrawn') waiting.delete(entry.input)
    if (entry.type === 'message' && entry.input !== undefined && !waiting.delete(entry.input))
      wrong.push('an input taken twice')
    if (entry.type === 'run-started' && run !== undefined) wrong.push('a run within a run')
    if (entry.type === 'run-ended' && entry.runId !== run) wrong.push('the end of another run')
    if (entry.type === 'run-started') run = entry.runId
    if (entry.type === 'run-ended') run = undefined
  }
  if (waiting.size > 0) wrong.push('an input lost')
  return wrong
}

it('keeps its promises, whatever is asked in whatever order', async () => {
  const operations = fc.array(operation, { minLength: 1, maxLength: 14 })
  const replies = fc.array(reply, { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), operations, replies, async (scheduler, made, said) => {
      const world = new World(scheduler, said)
      await scheduler.waitFor(world.play(made))
      expect(world.wrong).toEqual([])
    }),
    { numRuns: 500 },
  )
}, 120_000)
