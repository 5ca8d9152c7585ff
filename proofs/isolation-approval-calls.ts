import { type ApprovalRequest, isOrraError, Namespace } from '@orra/core'
import { type Call, collect, hostileId, type Make, placeFor } from './isolation-calls.ts'
import { otherThan } from './isolation-data-calls.ts'
import { knownOf } from './isolation-world.ts'

/** Approvals: one's own, and what one has no business with. */
export const APPROVAL_CALLS: { readonly [kind: string]: Make } = {
  approvals: async (call) => listed(call, placeFor(call)),
  decide: async (call) => {
    const { world, tenant, random } = call
    const request = random.pick(await listed(call, tenant.root))
    if (!request) return world.orra.decide(placeFor(call), hostileId(call), { approved: true, by: tenant.root })
    const { namespace, callId, inputHash } = request
    const decision = { approved: random.chance(0.7), by: tenant.root, reason: tenant.secret }
    const seen = random.chance(0.5) ? { inputHash } : {}
    return world.orra.decide(Namespace.parse(namespace), callId, { ...decision, ...seen })
  },
  'decide by others': async (call) => {
    const { world, tenant, random } = call
    const request = random.pick(await listed(call, tenant.root))
    const by = otherThan(call).root
    const { callId = hostileId(call) } = request ?? {}
    const place = request ? Namespace.parse(request.namespace) : placeFor(call)
    return refused(call, 'a decision by somebody else', world.orra.decide(place, callId, { approved: true, by }))
  },
  'decide for others': async (call) => {
    const { world, tenant, random } = call
    const other = otherThan(call)
    const theirs = random.pick(knownOf(world, other).asked)
    const place = theirs ? Namespace.parse(theirs.namespace) : other.root
    const by = random.chance(0.5) ? tenant.root : placeFor(call)
    const decision = { approved: random.chance(0.5), by, reason: tenant.secret }
    const deciding = world.lookout.as(
      tenant,
      'decide for others',
      () => world.orra.decide(place, theirs?.callId ?? hostileId(call), decision),
      other,
    )
    return refused(call, 'a decision for somebody else', deciding)
  },
  'decide with ids of others': async (call) => {
    const { world, tenant, random } = call
    const { callId = hostileId(call) } = random.pick(knownOf(world, otherThan(call)).asked) ?? {}
    return world.orra.decide(placeFor(call), callId, { approved: false, by: tenant.root })
  },
}

/** What waits, all of it below the tenant. */
async function listed(call: Call, within: Namespace): Promise<readonly ApprovalRequest[]> {
  const { world, tenant } = call
  const requests = await collect(world.orra.approvals(within))
  world.lookout.see(tenant, 'the list of approvals', requests)
  for (const { namespace } of requests) {
    if (within.contains(Namespace.parse(namespace))) continue
    world.lookout.find('seen', 'the list of approvals', `tenant ${tenant.index} is shown one of ${namespace}`)
  }
  return requests
}

async function refused({ world, tenant }: Call, what: string, deciding: Promise<void>): Promise<undefined> {
  try {
    await deciding
  } catch (error) {
    if (isOrraError(error, 'approval.gone', 'approval.forbidden')) world.lookout.see(tenant, what, error)
    else throw error
    return
  }
  world.lookout.find('done', what, `tenant ${tenant.index} has part in it, and it is taken`)
}
