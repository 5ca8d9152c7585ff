import type { Entry, Namespace } from '@orra/core'
import { type Call, collect, hostileId, type Make, placeFor, textFor, withPatience } from './isolation-calls.ts'
import { relabelled, type Tenant } from './isolation-tenant.ts'
import { knownOf, remember, type World } from './isolation-world.ts'

/** Sessions and projects, and what is kept and removed as a whole. */
export const DATA_CALLS: { readonly [kind: string]: Make } = {
  'session.head': (call) => sessionFor(call).head(),
  'session.entries': (call) => collect(sessionFor(call).entries({ after: Math.floor(call.random.between(0, 9)) })),
  'session.messages': (call) => sessionFor(call).messages(),
  'session.setMetadata': (call) => {
    const { random } = call
    const name = random.pick(['workingDirectory', 'autoApprove', '__proto__', 'constructor', 'channel']) ?? 'channel'
    const value = name === 'autoApprove' ? random.chance(0.5) : `/home/${textFor(call)}`
    const set = Object.fromEntries([[name, value]])
    return sessionFor(call).setMetadata(set, random.chance(0.2) ? { expect: { [hostileId(call)]: null } } : {})
  },
  'session.fork': (call) => {
    const target = furtherPlace(call)
    return sessionFor(call).fork(target, call.random.chance(0.3) ? { through: 5 } : {})
  },
  'session.export': (call) => collect(sessionFor(call).export()),
  'session.import': (call) => importInto(call, exportedOf(call, call.tenant)),
  'session.import of others': (call) => importInto(call, exportedOf(call, otherThan(call))),
  'session.import of forged': (call) => {
    const lines = exportedOf(call, call.tenant)
    return importInto(call, lines && forged(call, lines))
  },
  'session.delete': (call) => sessionFor(call).delete(),
  export: async ({ world, tenant, random }) => {
    const lines = await collect(world.orra.export(tenant.root))
    const sessions = sessionsIn(lines)
    for (const session of sessions) {
      if (session.includes('"run-suspended"') || random.chance(0.3)) remember(knownOf(world, tenant).exported, session)
    }
    return lines
  },
  erase: (call) => call.world.orra.erase(call.random.chance(0.3) ? call.tenant.root : placeFor(call)),
  'projects.create': async (call) => {
    const { world, tenant } = call
    const project = await world.projects.create(tenant.root, {
      id: hostileId(call),
      name: tenant.secret,
      instructions: textFor(call),
      metadata: { of: textFor(call) },
    })
    remember(knownOf(world, tenant).further, world.projects.namespaceOf(project))
    return [project, world.projects.policiesOf(project), world.projects.instructionsOf(project)]
  },
  'projects.get': (call) => call.world.projects.get(placeFor(call), hostileId(call)),
  'projects.update': ({ world, tenant, ...rest }) => {
    const call = { world, tenant, ...rest }
    return world.projects.update(tenant.root, hostileId(call), { name: textFor(call).slice(0, 200) })
  },
  'projects.setActive': (call) =>
    call.world.projects.setActive(call.tenant.root, hostileId(call), call.random.chance(0.5)),
  'projects.delete': (call) => call.world.projects.delete(call.tenant.root, hostileId(call)),
  'projects.list': (call) => call.world.projects.list(call.tenant.root, { limit: 5 }),
}

/** Calls that take something away, or bring in what was paid for elsewhere. */
export const UNSTEADY: ReadonlySet<string> = new Set([
  'session.import',
  'session.import of others',
  'session.import of forged',
  'session.delete',
  'erase',
])

/** Another tenant. */
export function otherThan({ world, tenant, random }: Call): Tenant {
  return random.pick(world.tenants.filter((other) => other !== tenant)) as Tenant
}

function sessionFor(call: Call) {
  return call.world.orra.session(placeFor(call))
}

function furtherPlace({ world, tenant, random }: Call): Namespace {
  const place = tenant.root.child('copy', String(Math.floor(random.next() * 20)))
  remember(knownOf(world, tenant).further, place)
  return place
}

function exportedOf({ world, random }: Call, from: Tenant): string | undefined {
  return random.pick(knownOf(world, from).exported)
}

/**
 * Brings in a session, and goes on with what is open in it. Of somebody else's lines it has the places, ids, runs and
 * calls as they are, but for their secrets: what was brought along was not found.
 */
async function importInto(call: Call, lines: string | undefined): Promise<unknown> {
  const { world, tenant, random } = call
  if (lines === undefined) return undefined
  const place = furtherPlace(call)
  const session = world.orra.session(place)
  if (random.chance(0.7)) await session.delete()
  await session.import([relabelled(lines, tenant.secret)])
  if (random.chance(0.3)) return undefined
  const decided = random.chance(0.7) ? await decideAll(world, place, tenant) : undefined
  return [decided, await withPatience(call, place, (signal) => world.orra.resume(place, signal))]
}

/** Approves what came in unapproved, so that it is gone on with. */
async function decideAll({ orra }: World, place: Namespace, { root }: Tenant): Promise<unknown> {
  const { approvals = [] } = (await orra.session(place).head())?.openRun ?? {}
  for (const { callId } of approvals) await orra.decide(place, callId, { approved: true, by: root })
  return approvals
}

/**
 * Lines in which somebody else's call has asked for all that is done, or one of whoever is above the tenant, and somebody
 * else is to approve it.
 */
function forged(call: Call, lines: string): string {
  const { world, tenant, random } = call
  const { namespace, runId, callId } = random.pick(knownOf(world, otherThan(call)).asked) ?? NOBODY
  const above = random.chance(0.3) ? tenant.root.parent?.key : undefined
  const spawnedBy = { namespace: above ?? namespace, runId, callId, depth: 1, agents: [] }
  const asked = { namespace, deciders: [tenant.root.key, '*'] }
  const forgedLine = (text: string) => {
    const line = JSON.parse(text) as ExportedLine
    const { entry } = line
    if (entry?.type === 'input') return JSON.stringify({ ...line, entry: { ...entry, spawnedBy } })
    if (entry?.type !== 'approval-requested') return text
    return JSON.stringify({ ...line, entry: { ...entry, request: { ...entry.request, ...asked } } })
  }
  return lines.split('\n').filter(Boolean).map(forgedLine).join('\n')
}

/** A line of an export; one that is no entry has none. */
interface ExportedLine {
  readonly entry?: Entry
}

/** A caller that never was, at a place that cannot be. */
const NOBODY = { namespace: 'a::b', runId: 'no-run', callId: 'no-call' }

/** The lines of an export, a session each. */
function sessionsIn(lines: readonly string[]): readonly string[] {
  const sessions: string[] = []
  let session = ''
  for (const line of lines) {
    if (line.startsWith('{"type":"session"')) session = ''
    session += line
    if (line.startsWith('{"type":"end"')) sessions.push(session)
  }
  return sessions
}
