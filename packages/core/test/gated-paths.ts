import type { ScriptStep } from '@orra/conformance'
import {
  type AgentProfile,
  approvals,
  createAgents,
  defineTool,
  delegateToAgent,
  type Entry,
  type Hooks,
  Namespace,
  type RunSettings,
  type Runtime,
  type Store,
  spawnAgent,
  type Tool,
  toolCallsOf,
} from '@orra/core'
import type { Path, World } from './gated-world.ts'
import { alice, announced, aSwitch, bob } from './harness.ts'

export const call: ScriptStep = { toolCalls: [{ name: 'act' }] }
export const asks: ScriptStep = { toolCalls: [{ name: 'ask' }] }
const suspends = { approvals: { suspend: true } } as const
export const untilIdle = { untilIdle: true, pollMs: 1 } as const
const hello = { role: 'user', content: [{ type: 'text', text: 'Hello' }] } as const
export const DOERS: readonly AgentProfile[] = [
  { name: 'doer', tools: ['ac*'] },
  { name: 'boss', tools: ['*'] },
]

const look = defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'seen' })

/** A tool that has a sub-agent work. */
export function asking(work: object = {}): Tool {
  return defineTool({
    name: 'ask',
    description: 'Asks.',
    idempotent: true,
    execute: async (_, { spawn }) => (await spawn({ input: 'Do it', ...work })).text || 'nothing',
  })
}

const spawns = (...depths: readonly number[]): ScriptStep[] =>
  depths.map((depth) => ({ toolCalls: [{ name: 'spawn_agent', input: { task: `Do it at ${depth}` } }] }))
export const delegates = (agent: string): ScriptStep => ({
  toolCalls: [{ name: 'delegate_to_agent', input: { agent, message: 'Do it' } }],
})

export const started: Entry = { type: 'tool-started', callId: 'one' }
const asked: Entry = {
  type: 'approval-requested',
  request: {
    ...{
      namespace: alice.key,
      runId: 'r',
      callId: 'one',
      tool: 'act',
      input: {},
      rule: 'the tool act',
      level: 'always',
    },
    inputHash: '00',
    ...{ requestedAt: 0, expiresAt: Number.MAX_SAFE_INTEGER },
  },
}
const approved: Entry = { type: 'approval-decided', callId: 'one', asked: 5, approved: true, by: alice.key }

/** The log of a session whose process died while `act` was called. */
export function diedIn(settings: RunSettings, ...more: readonly Entry[]): readonly Entry[] {
  return [
    { type: 'input', key: 'one', message: hello, settings },
    { type: 'run-started', runId: 'r', input: 'one' },
    { type: 'message', message: hello, input: 'one' },
    {
      type: 'message',
      message: { role: 'assistant', content: [{ type: 'tool-call', callId: 'one', name: 'act', input: {} }] },
      stopReason: 'tool-calls',
    },
    ...more,
  ]
}

/** A process on a store in which another one died. */
async function afterDeath(world: World, ...more: readonly Entry[]): Promise<Runtime> {
  await dieIn(world.store, diedIn({}, ...more))
  world.change()
  return world.open(['Done.', 'Next.'])
}

export async function dieIn(store: Store, entries: readonly Entry[]): Promise<void> {
  const lease = await store.sessions.claim(bob, { owner: 'dead', ttlMs: 60_000 })
  await store.sessions.append(bob, entries, { epoch: lease?.epoch ?? 0 })
  await lease?.release()
}

function linesOf(entries: readonly Entry[]): readonly string[] {
  const lines = entries.map((entry, index) => ({ type: 'entry', seq: index + 1, at: 0, entry }))
  const header = { type: 'session', version: 1, namespace: alice.key, id: 'x', createdAt: 0 }
  return [header, ...lines, { type: 'end', entries: entries.length }].map((line) => `${JSON.stringify(line)}\n`)
}

/** Approves all that waits, wherever; then policies change. */
async function approveAll(world: World, orra: Runtime): Promise<void> {
  for await (const { namespace, callId } of orra.approvals(bob)) {
    await orra.decide(Namespace.parse(namespace), callId, { approved: true, by: bob })
  }
  world.change()
}

async function drained(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

/** A hook that turns the first call of a reply into what `make` says. */
function rewriting(point: 'afterModelCall' | 'beforeAppend', make: (world: World) => void) {
  return (world: World): Hooks => ({
    [point]: ({ message }: { readonly message: { readonly role: string } }) => {
      if (message.role !== 'assistant') return undefined
      const made = message as Parameters<typeof toolCallsOf>[0]
      if (toolCallsOf(made).every(({ name }) => name !== 'look')) return undefined
      make(world)
      const content = made.content.map((part) =>
        part.type === 'tool-call' && part.name === 'look' ? { ...part, name: 'act' } : part,
      )
      return { message: { ...made, content } }
    },
  })
}

const looks: ScriptStep = { toolCalls: [{ name: 'look' }] }

/** Every way by which a tool can come to run. */
export const PATHS: readonly Path[] = [
  // A message that is answered at once.
  { name: 'run', go: (world) => world.open([world.acts, 'Done.']).run(bob, 'Go') },
  { name: 'stream', go: (world) => drained(world.open([world.acts, 'Done.']).stream(bob, 'Go')) },
  { name: 'tools of its own', go: (world) => world.open([world.acts, 'Done.']).run(bob, 'Go', { tools: ['act'] }) },
  {
    name: 'the profile of an agent',
    go: (world) => world.open([world.acts, 'Done.'], { agents: DOERS }).run(bob, 'Go', { agent: 'doer' }),
  },
  {
    name: 'the agent that a text mentions',
    async go(world) {
      await using agents = createAgents({ ...world.options([world.acts, 'Done.']), agents: DOERS })
      await agents.for('@boss go').run(bob, '@boss go')
    },
  },
  {
    name: 'a channel of a plugin',
    go(world) {
      const serve = async (runtime: Runtime) => void (await runtime.run(bob, 'Go'))
      const plugin = { name: 'phone', channels: [{ name: 'phone', serve }] }
      return world.open([world.acts, 'Done.'], { plugins: [plugin] }).serve()
    },
  },
  {
    name: 'a tool of a plugin',
    go: (world) =>
      world.open([world.acts, 'Done.'], { tools: [], plugins: [{ name: 'p', tools: [world.act] }] }).run(bob, 'Go'),
  },
  {
    name: 'several messages of one key',
    async go(world) {
      const orra = world.open([world.acts, 'Done.'])
      await Promise.all([1, 2].map(() => orra.run(bob, 'Go', { key: 'k' })))
      await orra.run(bob, 'Go again', { key: 'k' })
    },
  },
  {
    name: 'a message that steers',
    async go(world) {
      const [called, said] = [aSwitch(), aSwitch()]
      const orra = world.open([announced(called, { text: 'Hm.', after: said.promise }), world.acts, 'Done.'])
      const running = orra.run(bob, 'Go')
      await Promise.race([called.promise, running])
      await orra.submit(bob, 'Rather act', { whenBusy: 'steer' })
      said.on()
      await running
    },
  },
  {
    name: 'a message that interrupts',
    async go(world) {
      const called = aSwitch()
      const orra = world.open([announced(called, { before: aSwitch().promise }), world.acts, 'Done.'])
      const running = orra.run(bob, 'Go')
      await Promise.race([called.promise, running])
      await orra.run(bob, 'Rather act', { whenBusy: 'interrupt' })
      await running
    },
  },

  // A message that is answered later.
  {
    name: 'submit and recover',
    async go(world) {
      await world.open([]).submit(bob, 'Go')
      await world.open([world.acts, 'Done.']).recover(untilIdle)
    },
  },
  {
    name: 'submit and resume',
    async go(world) {
      await world.open([]).submit(bob, 'Go')
      await world.open([world.acts, 'Done.']).resume(bob)
    },
  },
  {
    name: 'submit and the next run',
    async go(world) {
      await world.open([]).submit(bob, 'Go')
      // Where policies cannot be had any more, the next one waits until they can.
      for await (const { type } of world.open([world.acts, 'Done.', 'Next.']).stream(bob, 'And?')) {
        if (type === 'waiting') break
      }
    },
  },

  // A call that a dead process left open.
  { name: 'resume after a crash', go: async (world) => (await afterDeath(world)).resume(bob) },
  { name: 'recover after a crash', go: async (world) => (await afterDeath(world)).recover(untilIdle) },
  { name: 'the next run after a crash', go: async (world) => (await afterDeath(world)).run(bob, 'And?') },
  {
    name: 'a message that is refused after a crash, and revives the session',
    async go(world) {
      const orra = await afterDeath(world)
      await orra.run(bob, 'And?', { whenBusy: 'reject' }).catch(() => {})
      await orra.resume(bob)
    },
  },
  {
    name: 'resume after a crash, of what had begun and is idempotent',
    hints: { idempotent: true },
    go: async (world) => (await afterDeath(world, started)).resume(bob),
  },
  {
    name: 'resume after a crash, of what had begun and changes nothing',
    hints: { readOnly: true },
    go: async (world) => (await afterDeath(world, started)).resume(bob),
  },
  {
    name: 'reconcile after a crash, of what had its effect',
    hints: { reconcile: () => 'it was done' },
    runs: ['reconcile'],
    go: async (world) => (await afterDeath(world, started)).resume(bob),
  },
  {
    name: 'reconcile after a crash, of what had no effect',
    hints: { reconcile: () => undefined },
    runs: ['reconcile', 'execute'],
    go: async (world) => (await afterDeath(world, started)).recover(untilIdle),
  },
  {
    name: 'an imported log',
    async go(world) {
      const orra = world.open(['Done.'])
      await orra.session(bob).import(linesOf(diedIn({})))
      world.change()
      await orra.resume(bob)
    },
  },
  {
    name: 'an imported log, recovered, of what had begun',
    hints: { idempotent: true },
    async go(world) {
      const orra = world.open(['Done.'])
      await orra.session(bob).import(linesOf(diedIn({}, started)))
      world.change()
      await orra.recover(untilIdle)
    },
  },
  {
    name: 'an imported log of what was approved elsewhere, and here again',
    hints: { approval: 'always' },
    async go(world) {
      const orra = world.open(['Done.'], suspends)
      await orra.session(bob).import(linesOf(diedIn({}, asked, approved)))
      await orra.resume(bob)
      await approveAll(world, orra)
      await orra.resume(bob)
    },
  },
  {
    name: 'a forked session',
    async go(world) {
      const orra = world.open(['Hi.', world.acts, 'Done.'])
      await orra.run(alice, 'Hello')
      await orra.session(alice).fork(bob)
      await orra.run(bob, 'Go')
    },
  },

  // A call that somebody approves.
  {
    name: 'an approval at once',
    hints: { approval: 'always' },
    go(world) {
      const ask = () => {
        world.change()
        return { approved: true }
      }
      return world.open([call, 'Done.'], { hooks: [approvals({ ask })] }).run(bob, 'Go')
    },
  },
  {
    name: 'an approval in a window',
    hints: { destructive: true, approval: 'always' },
    async go(world) {
      await using window = approvals()
      const running = world.open([call, 'Done.'], { hooks: [window] }).run(bob, 'Go')
      const reading = (async () => {
        for await (const { approve } of window) {
          world.change()
          approve()
        }
      })()
      await running.finally(() => window[Symbol.asyncDispose]())
      await reading
    },
  },
  {
    name: 'a decision, and resume',
    hints: { approval: 'always' },
    async go(world) {
      const orra = world.open([call, 'Done.'], suspends)
      await orra.run(bob, 'Go')
      await approveAll(world, orra)
      await orra.resume(bob)
    },
  },
  {
    name: 'a decision, and recover in another process',
    hints: { approval: 'always' },
    async go(world) {
      const first = world.open([call, 'Done.'], suspends)
      await first.run(bob, 'Go')
      await first.close()
      const second = world.open(['Done.'], suspends)
      await approveAll(world, second)
      await second.recover(untilIdle)
    },
  },
  {
    name: 'a decision, and the next run',
    hints: { approval: 'always' },
    async go(world) {
      const orra = world.open([call, 'Done.', 'Next.'], suspends)
      await orra.run(bob, 'Go')
      await approveAll(world, orra)
      await orra.run(bob, 'And?')
    },
  },
  {
    name: 'a session that approves by itself',
    hints: { approval: 'unless-auto-approved' },
    async go(world) {
      const orra = world.open([world.acts, 'Done.'])
      await orra.session(bob).setMetadata({ autoApprove: true })
      await orra.run(bob, 'Go')
    },
  },

  // A sub-agent.
  {
    name: 'spawn',
    go: (world) => world.open([asks, world.acts, 'Below.', 'Done.'], { tools: [asking(), world.act] }).run(bob, 'Go'),
  },
  {
    name: 'spawn, with tools of its own',
    go: (world) =>
      world
        .open([asks, world.acts, 'Below.', 'Done.'], { tools: [asking({ tools: ['act'] }), world.act] })
        .run(bob, 'Go', { tools: ['ask', 'act'] }),
  },
  {
    name: 'spawn in a sub-agent',
    go: (world) =>
      world.open([asks, asks, world.acts, 'Deep.', 'Below.', 'Done.'], { tools: [asking(), world.act] }).run(bob, 'Go'),
  },
  {
    name: 'spawn, in a call that is not idempotent',
    go(world) {
      const once: Tool = { ...asking(), idempotent: false }
      return world.open([asks, world.acts, 'Below.', 'Done.'], { tools: [once, world.act] }).run(bob, 'Go')
    },
  },
  {
    name: 'spawn in what is gone on with after a crash',
    async go(world) {
      // Its sub-agent's process died with its own.
      const [called, never] = [aSwitch(), aSwitch()]
      const tools = [asking(), world.act]
      const first = world.open([asks, announced(called, { before: never.promise })], { tools })
      const running = first.run(bob, 'Go').catch(() => {})
      await Promise.race([called.promise, running])
      await first.close()
      await world.open([world.acts, 'Below.', 'Done.'], { tools }).recover({ ...untilIdle, maxParallel: 1 })
    },
  },
  {
    name: 'spawn_agent',
    go: (world) =>
      world.open([...spawns(1), world.acts, 'Below.', 'Done.'], { tools: [spawnAgent(), world.act] }).run(bob, 'Go'),
  },
  {
    name: 'spawn_agent in spawn_agent',
    go: (world) =>
      world
        .open([...spawns(1, 2), world.acts, 'Deep.', 'Below.', 'Done.'], { tools: [spawnAgent(), world.act] })
        .run(bob, 'Go'),
  },
  {
    name: 'delegate_to_agent',
    go: (world) =>
      world
        .open([delegates('doer'), world.acts, 'Below.', 'Done.'], {
          ...{ agents: DOERS, tools: [delegateToAgent(DOERS), world.act] },
        })
        .run(bob, 'Go'),
  },
  {
    name: 'delegate_to_agent in delegate_to_agent',
    go: (world) =>
      world
        .open([delegates('boss'), delegates('doer'), world.acts, 'Deep.', 'Below.', 'Done.'], {
          ...{ agents: DOERS, tools: [delegateToAgent(DOERS), world.act] },
        })
        .run(bob, 'Go'),
  },
  {
    name: 'a decision of what a sub-agent does',
    hints: { approval: 'always' },
    async go(world) {
      const orra = world.open([asks, call, 'Below.', 'Done.'], { ...suspends, tools: [asking(), world.act] })
      await orra.run(bob, 'Go')
      await approveAll(world, orra)
      await orra.recover(untilIdle)
    },
  },

  // What hooks and tools do while policies change.
  {
    name: 'a hook that changes the input',
    go: (world) =>
      world.open([world.acts, 'Done.'], { hooks: [{ beforeToolCall: () => ({ input: { id: 2 } }) }] }).run(bob, 'Go'),
  },
  {
    name: 'a hook that takes its time',
    async go(world) {
      const beforeToolCall = async () => {
        await Promise.resolve()
        world.change()
      }
      await world.open([call, 'Done.'], { hooks: [{ beforeToolCall }] }).run(bob, 'Go')
    },
  },
  {
    name: 'a tool that takes its time to say whether it needs an approval',
    go(world) {
      const approval = async () => {
        await Promise.resolve()
        world.change()
        return 'never' as const
      }
      return world.open([call, 'Done.'], { tools: [{ ...world.act, approval }] }).run(bob, 'Go')
    },
  },
  {
    name: 'a hook that adds a call to a reply',
    go(world) {
      let added = 0
      const afterModelCall: Hooks['afterModelCall'] = ({ message }) => {
        added += 1
        if (added > 1) return undefined
        world.change()
        const part = { type: 'tool-call', callId: 'added', name: 'act', input: {} } as const
        return { message: { ...message, content: [...message.content, part] } }
      }
      return world.open(['Nothing to do.', 'Done.'], { hooks: [{ afterModelCall }] }).run(bob, 'Go')
    },
  },
  {
    name: 'a hook that gives a call another name',
    go: (world) =>
      world
        .open([looks, 'Done.'], {
          tools: [look, world.act],
          hooks: [rewriting('afterModelCall', ({ change }) => change())(world)],
        })
        .run(bob, 'Go'),
  },
  {
    name: 'a hook that gives a call another name as it is written',
    go: (world) =>
      world
        .open([looks, 'Done.'], {
          tools: [look, world.act],
          hooks: [rewriting('beforeAppend', ({ change }) => change())(world)],
        })
        .run(bob, 'Go'),
  },
  {
    name: 'a hook that shows the model a tool',
    isShown: true,
    go(world) {
      const spec = { name: 'act', description: 'Acts.', inputSchema: { type: 'object' } }
      const beforeModelCall: Hooks['beforeModelCall'] = ({ request }) => ({
        request: { tools: [...request.tools, spec] },
      })
      return world.open([world.acts, 'Done.'], { hooks: [{ beforeModelCall }] }).run(bob, 'Go')
    },
  },
]
