import { untilAborted } from '../abort.ts'
import { isEmpty } from '../context/repair-turn.ts'
import { OrraError } from '../errors.ts'
import type { DeniablePoint, Hook, HookEvent, HookEvents, HookPoint, Hooks, NamedHooks } from '../hooks/hooks.ts'
import { toJson } from '../json.ts'
import { isContent, isMessageOf, type Message } from '../message.ts'
import { invalidOption } from '../options.ts'

/** What a point's hooks have made of its event. */
type HookOutcome<P extends HookPoint> =
  | { readonly event: HookEvents[P]; readonly denied?: undefined }
  | (P extends DeniablePoint ? { readonly event?: undefined; readonly denied: string } : never)

/** Calls the hooks of all who gave some. */
export interface HookRunner {
  /** Whether anybody listens at `point`; where nobody does, nothing need be prepared for it. */
  has(point: HookPoint): boolean
  /** Throws `hook.failed`, `hook.invalid-patch`, and the signal's reason as soon as that aborts. */
  call<P extends HookPoint>(point: P, base: HookEvent, event: HookEvents[P]): Promise<HookOutcome<P>>
}

/** Every point: whether it can be denied, and what is wrong with a patch, or `undefined`. */
const POINTS: { readonly [P in HookPoint]: PointRules<HookEvents[P]> } = {
  runStart: {
    deniable: true,
    problem: ({ message }) => unless(isSaid(message), 'it is no user message, or says nothing'),
  },
  sessionLoaded: { problem: () => 'this point takes no patch' },
  beforeModelCall: { deniable: true, problem: () => undefined },
  afterModelCall: { problem: ({ message }) => unless(isMessageOf('assistant', message), 'it is no assistant message') },
  beforeToolCall: { deniable: true, problem: () => undefined },
  approval: {
    problem: ({ decision }) => unless(isDecision(decision), 'its decision has no "approved" of true or false'),
  },
  afterToolCall: { problem: ({ content }) => unless(isContent(content), 'its content is no list of parts') },
  beforeAppend: {
    problem: ({ message }, before) =>
      unless(
        isSameMessage(before.message, message) && (message.role !== 'user' || isSaid(message)),
        'it changes the role or a call id, or leaves nothing of what a user said',
      ),
  },
  runEnd: { problem: () => 'this point takes no patch' },
}

function isSaid(message: Message): boolean {
  return isMessageOf('user', message) && !isEmpty(message)
}

interface PointRules<Event> {
  readonly deniable?: true
  problem(patched: Event, before: Event): string | undefined
}

interface PointHook {
  readonly name: string
  readonly call: Hook<HookPoint>
}

/** Throws `options.invalid` for a point that does not exist. */
export function createHookRunner(list: readonly NamedHooks[]): HookRunner {
  const byPoint = new Map<string, readonly PointHook[]>()
  for (const { name, hooks: given } of list) {
    if (typeof given !== 'object' || given === null) throw invalidOption('hooks', `${name} is no object with hooks`)
    checkPoints(name, given)
    // By name, so that those of a class are found, too.
    for (const point of Object.keys(POINTS) as HookPoint[]) {
      const call: unknown = given[point]
      if (call === undefined) continue
      if (typeof call !== 'function') throw invalidOption('hooks', `"${point}" of ${name} is not a function`)
      byPoint.set(point, [...(byPoint.get(point) ?? []), { name, call: call.bind(given) as Hook<HookPoint> }])
    }
  }

  async function call<P extends HookPoint>(point: P, base: HookEvent, event: HookEvents[P]): Promise<HookOutcome<P>> {
    let current = event
    for (const hook of byPoint.get(point) ?? []) {
      const returned = await guarded(point, hook, { ...base, ...current } as HookEvent & HookEvents[HookPoint])
      if (returned === undefined) continue
      if (typeof returned !== 'object' || returned === null)
        throw invalidPatch(point, 'it is neither an object nor undefined')
      if ('deny' in returned) return { denied: denialOf(point, returned.deny) } as HookOutcome<P>
      current = patched(point, current, returned)
    }
    return { event: current } as HookOutcome<P>
  }

  return { has: (point) => byPoint.has(point), call }
}

async function guarded(point: HookPoint, { name, call }: PointHook, event: HookEvent & HookEvents[HookPoint]) {
  const { signal } = event
  try {
    return await untilAborted((async () => call(event))(), signal)
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    const message = `The hook ${name} threw at ${point}; see the cause.`
    throw new OrraError('hook.failed', message, { details: { point, hook: name }, cause })
  }
}

function denialOf(point: HookPoint, reason: unknown): string {
  if (!POINTS[point].deniable) throw invalidPatch(point, 'nothing can be denied at this point')
  return String(reason)
}

function patched<P extends HookPoint>(point: P, event: HookEvents[P], patch: object): HookEvents[P] {
  for (const key of Object.keys(patch)) {
    if (!(key in event)) throw invalidPatch(point, `"${key}" is not part of the event`)
  }
  const after = { ...event, ...copied(point, patch) }
  const problem = POINTS[point].problem(after, event)
  if (problem !== undefined) throw invalidPatch(point, problem)
  return point === 'beforeModelCall' ? withRest(event as HookEvents['beforeModelCall'], after) : after
}

/** What goes into the log shares nothing with what a hook may keep. A request does not go there. */
function copied(point: HookPoint, patch: object): object {
  if (point === 'beforeModelCall') return patch
  try {
    return toJson(patch)
  } catch (error) {
    throw invalidPatch(point, error instanceof Error ? error.message : 'it is not JSON')
  }
}

function withRest<Event>(before: HookEvents['beforeModelCall'], after: Event): Event {
  const { request } = after as HookEvents['beforeModelCall']
  return { ...after, request: { ...before.request, ...request } }
}

/** Roles and ids tie the log together; a hook that changed one would break it. */
function isSameMessage(before: Message, after: unknown): boolean {
  if (!isMessageOf(before.role, after)) return false
  return JSON.stringify(callIdsOf(before)) === JSON.stringify(callIdsOf(after))
}

function callIdsOf({ content }: Message): readonly string[] {
  return content.flatMap((part) => ('callId' in part ? `${part.type} ${part.callId}` : []))
}

function isDecision(decision: unknown): boolean {
  const { approved, reason } = (decision ?? {}) as { readonly approved?: unknown; readonly reason?: unknown }
  return typeof approved === 'boolean' && (reason === undefined || typeof reason === 'string')
}

function unless(fine: boolean, problem: string): string | undefined {
  return fine ? undefined : problem
}

function checkPoints(name: string, given: Hooks): void {
  const unknown = Object.keys(given).find((key) => key !== 'name' && !Object.hasOwn(POINTS, key))
  if (unknown === undefined) return
  throw invalidOption('hooks', `"${unknown}" of ${name} is no hook point; there are ${Object.keys(POINTS).join(', ')}`)
}

function invalidPatch(point: HookPoint, problem: string): OrraError<'hook.invalid-patch'> {
  const message = `What a hook returned at ${point} cannot be used: ${problem}.`
  return new OrraError('hook.invalid-patch', message, { details: { point, problem } })
}
