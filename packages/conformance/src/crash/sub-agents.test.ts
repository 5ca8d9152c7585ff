import { type Entry, type Lineage, memoryStore, Namespace } from '@orra/core'
import { expect, it } from 'vitest'
import { differences } from './compare-sessions.ts'
import { logProblems } from './log-problems.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'
import { standstillProblems } from './standstill-problems.ts'
import { spawningCalls } from './sub-agents.ts'

const bob = Namespace.of('user', 'bob')
const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }

const text = (words: string) => ({ role: 'user', content: [{ type: 'text', text: words }] }) as const
const calls = (name: string, ids: readonly string[]) => {
  const content = ids.map((callId) => ({ type: 'tool-call', callId, name, input: {} }) as const)
  return { type: 'message', message: { role: 'assistant', content } } as const satisfies Entry
}
const result = (name: string, callId: string) => {
  const content = [{ type: 'tool-result', callId, name, content: [] }] as const
  return { type: 'message', message: { role: 'tool', content } } as const satisfies Entry
}
const begun = (runId: string, key: string, spawnedBy?: Lineage): readonly Entry[] => [
  { type: 'input', key, message: text('Go on.'), ...(spawnedBy ? { spawnedBy } : {}) },
  { type: 'run-started', runId, input: key },
  { type: 'message', message: text('Go on.'), input: key },
]
const ended = (runId: string): Entry => ({ type: 'run-ended', runId, reason: 'completed', usage })

/** How far it comes: all that are asked wait; those who were asked have decided; all is over. */
type State = 'waiting' | 'decided' | 'ended'

interface Told {
  /** The order in which the sub-agents begin, by the letters of their calls. */
  readonly order?: string
  readonly caller?: State
  readonly agents?: State
  readonly approved?: boolean
}

/** Bob has two sub-agents, each of which asks for an approval; all ids are new each time. */
async function told({ order = 'xy', caller = 'ended', agents = 'ended', approved = true }: Told): Promise<Snapshot> {
  const store = memoryStore()
  const write = async (namespace: Namespace, entries: readonly Entry[]) => {
    const lease = await store.sessions.claim(namespace, { owner: 'test', ttlMs: 1000 })
    await store.sessions.append(namespace, entries, lease ? { epoch: lease.epoch } : {})
    await lease?.release()
  }
  const runId = crypto.randomUUID()
  const ids = { x: `x-${runId}`, y: `y-${runId}` }
  for (const letter of order) {
    const callId = ids[letter as 'x' | 'y']
    const place = crypto.randomUUID().replaceAll('-', '').slice(0, 22)
    const lineage: Lineage = { callers: [{ namespace: bob.key, runId, callId }], agents: ['task'] }
    const run = `run-${place}`
    const about = { namespace: bob.key, runId: run, callId: place, tool: 'remove', input: letter, inputHash: 'hash' }
    const asked = { level: 'always', rule: 'the tool remove', requestedAt: 0, expiresAt: 1000 } as const
    const decision = { type: 'approval-decided', callId: place, asked: 5, approved } as const
    await write(bob.child('agent', 'task', place), [
      ...begun(run, place, lineage),
      calls('remove', [place]),
      { type: 'approval-requested', request: { ...about, ...asked } },
      { type: 'run-suspended', runId: run, seen: 4 },
      ...(agents === 'waiting' ? [] : [decision]),
      ...(agents === 'ended' ? [result('remove', place), ended(run)] : []),
    ])
  }
  const over = [result('spawn_agent', ids.x), result('spawn_agent', ids.y), ended(runId)]
  await write(bob, [
    ...begun(runId, 'first'),
    calls('spawn_agent', [ids.x, ids.y]),
    { type: 'run-suspended', runId, seen: 4 },
    ...(caller === 'waiting' ? [] : [{ type: 'call-woken', runId, callId: ids.x } as const]),
    ...(caller === 'ended' ? over : []),
  ])
  return snapshotOf(store)
}

const problemsOf = ({ sessions }: Snapshot) => [
  ...sessions.flatMap((session) => logProblems(session, spawningCalls(sessions))),
  ...standstillProblems(sessions),
]

it('sub-agents are compared by the calls that began them', async () => {
  expect(differences(await told({ order: 'xy' }), await told({ order: 'yx' }), [])).toEqual([])
})

it.each<readonly [string, Told, string]>([
  ['another decision', { approved: false }, 'not approved (<1>): no reason stands where it should be approved'],
  ['no decision', { agents: 'waiting' }, 'stands where it should be approved'],
])('sub-agents differ in %s', async (_, other, problem) => {
  const problems = differences(await told(other), await told({}), [])
  expect(problems.map(({ kind }) => kind)).toEqual(['different', 'different'])
  expect(problems[0]?.problem).toContain(problem)
})

it('a sub-agent that is not there is lost', async () => {
  const problems = differences(await told({ order: 'x' }), await told({}), [])
  expect(problems).toEqual([{ kind: 'lost', problem: 'the session user:bob:agent:task:<2> is not there' }])
})

it('all may wait for somebody who is still to decide, or be over', async () => {
  expect(problemsOf(await told({ caller: 'waiting', agents: 'waiting' }))).toEqual([])
  expect(problemsOf(await told({}))).toEqual([])
})

it('nobody may wait for sub-agents that have their answer', async () => {
  const problems = problemsOf(await told({ caller: 'waiting', agents: 'ended' }))
  expect(problems).toEqual([{ kind: 'stuck', problem: expect.stringContaining('is suspended and waits for nobody') }])
})

it('no sub-agent may wait for a caller that has ended', async () => {
  const problems = problemsOf(await told({ caller: 'ended', agents: 'waiting' }))
  expect(problems.map(({ kind }) => kind)).toEqual(['stuck', 'stuck'])
  expect(problems[0]?.problem).toContain('and its caller’s has ended')
})
