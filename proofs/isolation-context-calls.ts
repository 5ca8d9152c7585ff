import { type Call, collect, hostileId, type Make, placeFor, textFor, withPatience } from './isolation-calls.ts'
import { AGENT_NAMES } from './isolation-model.ts'
import { MODELS } from './isolation-tenant.ts'

/** Beyond the places of most entries. */
const FAR = 40

/** What is sent of a conversation: looked at, summed up and pinned. */
export const CONTEXT_CALLS: { readonly [kind: string]: Make } = {
  preview: async (call) => {
    const { world, tenant, random } = call
    const place = placeFor(call)
    const preview = await world.orra.preview(place, {
      ...(random.chance(0.5) ? { input: textFor(call) } : {}),
      ...(random.chance(0.3) ? { model: random.pick([...MODELS, hostileId(call)]) ?? 'model-a' } : {}),
      ...(random.chance(0.2) ? { agent: random.pick(AGENT_NAMES) ?? 'writer' } : {}),
    })
    for (const { name } of preview.request.tools) {
      if (!tenant.deniedTools.has(name)) continue
      world.lookout.find('done', 'preview', `the denied tool ${name} is offered to tenant ${tenant.index}`)
    }
    return preview
  },
  compact: (call) => {
    const place = placeFor(call)
    return withPatience(call, place, (signal) => call.world.orra.compact(place, signal))
  },
  'session.pin': async (call) => {
    const session = call.world.orra.session(placeFor(call))
    const said = (await collect(session.entries())).filter(({ entry }) => entry.type === 'message')
    return session.pin((call.random.chance(0.8) ? call.random.pick(said)?.seq : undefined) ?? anyPlace(call))
  },
  'session.unpin': (call) => call.world.orra.session(placeFor(call)).unpin(anyPlace(call)),
}

function anyPlace({ random }: Call): number {
  return Math.floor(random.between(0, FAR))
}
