import {
  createRuntime,
  defineTool,
  type ModelRequest,
  memoryStore,
  type Namespace,
  type Policies,
  type PolicySource,
  type Provider,
} from '@orra/core'
import fc from 'fast-check'

const TOOLS = ['read_a', 'read_b', 'write_a', 'ask'] as const
const PATTERNS = [
  ...['t', 't:*', 't:u1', 't:u2', '*:u1', 't:u1:agent', 't:u1:agent:doer', 't:u*:agent:*:*'],
  ...['t:u1:agent:*:*:agent', 't:u1:agent:*:*:agent:task', 't:u1:agent:task:*:agent:*:*'],
] as const

const globs = fc.uniqueArray(fc.constantFrom('*', 'ask', 'read_*', 'write_*', '*_a', 'read_b', 'nothing'), {
  maxLength: 3,
})
const rule = fc.record({ allow: globs, deny: globs }, { requiredKeys: [] })
const policies: fc.Arbitrary<Policies> = fc.dictionary(fc.constantFrom(...PATTERNS), fc.record({ tools: rule }), {
  maxKeys: 4,
})

/** Policies of several kinds, and a way in: what an agent without any limits of its own does with all tools there are. */
export const routes = fc.record({
  sources: fc.array(fc.record({ kind: fc.constantFrom('still', 'at once', 'later'), policies }), { maxLength: 3 }),
  way: fc.constantFrom('run', 'stream', 'submit', 'died'),
  agents: fc.array(fc.constantFrom('doer', 'task'), { minLength: 1, maxLength: 3 }),
})
export type Route = typeof routes extends fc.Arbitrary<infer T> ? T : never

/** What has run where, beside what policies let run there, by the key of each namespace that was reached. */
export async function travel(
  namespace: Namespace,
  { sources, way, agents }: Route,
): Promise<{ readonly ran: Places; readonly allowed: Places }> {
  const ran: { [key: string]: readonly string[] } = {}
  const note = (key: string, name: string) => {
    ran[key] = [...(ran[key] ?? []), name].sort()
  }
  const store = memoryStore()
  const does = (name: string) =>
    defineTool({
      name,
      description: name,
      input: { type: 'object' },
      async execute(_, { namespace: { key }, spawn }) {
        note(key, name)
        if (name !== 'ask') return 'done'
        const agent = agents[(key.split(':agent:').length - 1) % agents.length]
        return (await spawn({ input: 'Go', ...(agent === 'doer' ? { agent } : {}) })).reason
      },
    })
  const orra = createRuntime({
    provider: busyModel(),
    store,
    agents: [{ name: 'doer' }],
    tools: TOOLS.map(does),
    policies: [{ '*': { limits: { spawnDepth: 2 } } }, ...sources.map(sourceOf)],
  })
  if (way === 'run') await orra.run(namespace, 'Go')
  if (way === 'stream') for await (const _ of orra.stream(namespace, 'Go'));
  if (way === 'submit') await orra.submit(namespace, 'Go')
  if (way === 'died') await orra.session(namespace).import(linesOfDead())
  await orra.recover({ untilIdle: true, pollMs: 1 })

  const { items } = await store.sessions.list({ limit: 1000 })
  const reached = items.map((head) => head.namespace)
  const all = sources.map((source) => source.policies)
  return {
    ran: Object.fromEntries(reached.map((key) => [key, ran[key] ?? []])),
    allowed: Object.fromEntries(reached.map((key) => [key, TOOLS.filter((tool) => mayRun(all, key, tool)).sort()])),
  }
}

type Places = { readonly [key: string]: readonly string[] }

/** By another way than the gate's: every policy of the namespace and of all above it, one after the other. */
function mayRun(all: readonly Policies[], key: string, tool: string): boolean {
  const segments = key.split(':')
  return all.flatMap(Object.entries<Policies[string]>).every(([pattern, { tools = {} }]) => {
    const wanted = pattern.split(':')
    const holds =
      wanted.length <= segments.length && wanted.every((glob, index) => fits(glob, segments[index] as string))
    return (
      !holds ||
      ((tools.allow ?? ['*']).some((glob) => fits(glob, tool)) && !tools.deny?.some((glob) => fits(glob, tool)))
    )
  })
}

function fits(glob: string, text: string): boolean {
  return new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(text)
}

function sourceOf({ kind, policies }: Route['sources'][number]): Policies | PolicySource {
  if (kind === 'still') return policies
  return { policiesFor: () => (kind === 'later' ? Promise.resolve().then(() => policies) : policies) }
}

/** Calls every tool once, whatever it was shown. */
function busyModel(): Provider {
  const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
  return {
    name: 'busy',
    model: 'busy-1',
    async *stream({ messages }: ModelRequest) {
      const isDone = messages.at(-1)?.role === 'tool'
      const content = isDone ? [{ type: 'text', text: 'Done.' } as const] : CALLS
      const stopReason = isDone ? 'stop' : 'tool-calls'
      yield { type: 'finish', message: { role: 'assistant', content }, stopReason, usage, model: 'busy-1' }
    },
  }
}

const CALLS = TOOLS.map((name) => ({ type: 'tool-call', callId: name, name, input: {} }) as const)

/** The session of a process that died when the model had called everything. */
function linesOfDead(): readonly string[] {
  const message = { role: 'user', content: [{ type: 'text', text: 'Go' }] }
  const entries = [
    { type: 'input', key: 'one', message },
    { type: 'run-started', runId: 'r', input: 'one' },
    { type: 'message', message, input: 'one' },
    { type: 'message', message: { role: 'assistant', content: CALLS }, stopReason: 'tool-calls' },
  ]
  const header = { type: 'session', version: 1, namespace: 'x', id: 'x', createdAt: 0 }
  const lines = entries.map((entry, index) => ({ type: 'entry', seq: index + 1, at: 0, entry }))
  return [header, ...lines, { type: 'end', entries: entries.length }].map((line) => `${JSON.stringify(line)}\n`)
}
