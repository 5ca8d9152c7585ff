import type { Entry, RunEndReason } from './entry.ts'
import { isOrraError, OrraError } from './errors.ts'
import type { JsonValue } from './json.ts'
import type { AssistantMessage, ContentPart, UserMessage } from './message.ts'
import type { Namespace } from './namespace.ts'
import type { ModelRequest, StopReason, Usage } from './provider.ts'

/** What every hook is told. */
export interface HookEvent {
  readonly namespace: Namespace
  /** Absent where no run is involved: an input that is being accepted. */
  readonly runId?: string
  readonly signal: AbortSignal
}

/** What each point adds to the event. */
export interface HookEvents {
  /** An input is about to be answered. Patch its message, or deny: then it is withdrawn and never reaches the model. */
  readonly runStart: { readonly message: UserMessage }
  /** The log has been read. `messages` counts the conversation so far. */
  readonly sessionLoaded: { readonly messages: number }
  /** Patch the request, or deny: then the run ends. */
  readonly beforeModelCall: { readonly request: ModelRequest }
  /** The reply is whole and not yet in the log. Patch the message. */
  readonly afterModelCall: {
    readonly message: AssistantMessage
    readonly stopReason: StopReason
    readonly usage: Usage
    readonly model: string
  }
  /** A call is about to be checked and run. Patch its input, or deny: then the model gets the reason as the result. */
  readonly beforeToolCall: { readonly callId: string; readonly tool: string; readonly input: JsonValue }
  /** A tool has run. Patch what the model and the log get of it. */
  readonly afterToolCall: {
    readonly callId: string
    readonly tool: string
    readonly content: readonly ContentPart[]
    readonly isError: boolean
    readonly durationMs: number
  }
  /** An entry is about to be written. Patch it, keeping its type and its ids: to redact, say. */
  readonly beforeAppend: { readonly entry: Entry }
  /** The run has ended and the log says so. */
  readonly runEnd: { readonly reason: RunEndReason; readonly usage: Usage }
}

/** What a hook at each point may patch. */
export interface HookPatches {
  readonly runStart: { readonly message?: UserMessage }
  readonly sessionLoaded: never
  readonly beforeModelCall: { readonly request?: Partial<ModelRequest> }
  readonly afterModelCall: { readonly message?: AssistantMessage }
  readonly beforeToolCall: { readonly input?: JsonValue }
  readonly afterToolCall: { readonly content?: readonly ContentPart[]; readonly isError?: boolean }
  readonly beforeAppend: { readonly entry?: Entry }
  readonly runEnd: never
}

export type HookPoint = keyof HookEvents

/** The points at which a hook may refuse. */
type DeniablePoint = 'runStart' | 'beforeModelCall' | 'beforeToolCall'

/** What `deny` makes. */
export interface Denial {
  readonly deny: string
}

/** Refuses what the hook was asked about. `reason` may be shown to the model and to people. */
export function deny(reason: string): Denial {
  return { deny: reason }
}

type HookReturn<P extends HookPoint> = HookPatches[P] | undefined | (P extends DeniablePoint ? Denial : never)

export type Hook<P extends HookPoint> = (
  event: HookEvent & HookEvents[P],
) => HookReturn<P> | Promise<HookReturn<P>> | void | Promise<void>

/**
 * Functions at named points of a run. They are called in the order in which they were given, each with what the ones
 * before it left. A hook that throws fails what it guards: at `beforeToolCall` and `afterToolCall` the one call, whose
 * result then says so; at `runEnd` nothing, for nothing is left to fail; elsewhere the run, with `hook.failed`.
 */
export type Hooks = { readonly [P in HookPoint]?: Hook<P> } & {
  /** For messages. @default its place in the list */
  readonly name?: string
}

/** Every point, and what its hooks may return beside nothing. */
const POINTS: { readonly [P in HookPoint]: 'patch or deny' | 'patch' | 'nothing' } = {
  runStart: 'patch or deny',
  sessionLoaded: 'nothing',
  beforeModelCall: 'patch or deny',
  afterModelCall: 'patch',
  beforeToolCall: 'patch or deny',
  afterToolCall: 'patch',
  beforeAppend: 'patch',
  runEnd: 'nothing',
}

/** What a point's hooks have made of its event. */
type HookOutcome<P extends HookPoint> =
  | { readonly event: HookEvents[P]; readonly denied?: undefined }
  | (P extends DeniablePoint ? { readonly event?: undefined; readonly denied: string } : never)

export interface HookRunner {
  /** Whether anybody listens at `point`; where nobody does, nothing need be prepared for it. */
  has(point: HookPoint): boolean
  /** Throws `hook.failed` and `hook.invalid-patch`. */
  call<P extends HookPoint>(point: P, base: HookEvent, event: HookEvents[P]): Promise<HookOutcome<P>>
}

/** Throws `options.invalid` for a point that does not exist. */
export function createHookRunner(list: readonly Hooks[]): HookRunner {
  const byPoint = new Map<HookPoint, { readonly hook: string; readonly call: Hook<HookPoint> }[]>()
  for (const [index, hooks] of list.entries()) {
    const hook = hooks.name ?? `hooks[${index}]`
    for (const [point, call] of Object.entries(hooks)) {
      if (point === 'name' || call === undefined) continue
      checkPoint(hook, point, call)
      const calls = byPoint.get(point as HookPoint) ?? []
      byPoint.set(point as HookPoint, [...calls, { hook, call: call as Hook<HookPoint> }])
    }
  }

  return {
    has: (point) => byPoint.has(point),
    async call(point, base, event) {
      let current = event
      for (const { hook, call } of byPoint.get(point) ?? []) {
        const returned = await guarded(point, hook, () =>
          call({ ...base, ...current } as HookEvent & HookEvents[HookPoint]),
        )
        if (returned === undefined) continue
        if (typeof returned !== 'object' || returned === null)
          throw invalidPatch(point, 'it is neither an object nor undefined')
        if ('deny' in returned) return { denied: denialOf(point, returned) } as HookOutcome<typeof point>
        current = patched(point, current, returned)
      }
      return { event: current } as HookOutcome<typeof point>
    },
  }
}

async function guarded<T>(point: HookPoint, hook: string, call: () => T): Promise<Awaited<T>> {
  try {
    return await call()
  } catch (cause) {
    if (isOrraError(cause)) throw cause
    throw new OrraError('hook.failed', `The hook ${hook} threw at ${point}; see the cause.`, {
      details: { point, hook },
      cause,
    })
  }
}

function denialOf(point: HookPoint, { deny: reason }: Denial): string {
  if (POINTS[point] !== 'patch or deny') throw invalidPatch(point, 'nothing can be denied at this point')
  return String(reason)
}

function patched<P extends HookPoint>(point: P, event: HookEvents[P], patch: object): HookEvents[P] {
  if (POINTS[point] === 'nothing') throw invalidPatch(point, 'this point takes no patch')
  for (const key of Object.keys(patch))
    if (!(key in event)) throw invalidPatch(point, `"${key}" is not part of the event`)
  if (point === 'beforeModelCall') return patchedRequest(event as HookEvents['beforeModelCall'], patch) as HookEvents[P]
  if (point === 'beforeAppend')
    checkSameEntry((event as HookEvents['beforeAppend']).entry, (patch as { entry?: Entry }).entry)
  return { ...event, ...patch }
}

function patchedRequest(event: HookEvents['beforeModelCall'], patch: HookPatches['beforeModelCall']) {
  return { request: { ...event.request, ...patch.request } }
}

/** Ids tie the log together; a hook that changed one would break it. */
function checkSameEntry(entry: Entry, patch: Entry | undefined): void {
  if (patch === undefined) return
  if (JSON.stringify(idsOf(entry)) === JSON.stringify(idsOf(patch))) return
  throw invalidPatch('beforeAppend', 'it changes the type of the entry or one of its ids')
}

function idsOf(entry: Entry): unknown {
  const { message, ...rest } = { message: undefined, ...entry }
  const ids = Object.entries(rest).filter(([name]) => ['type', 'callId', 'runId', 'input', 'key'].includes(name))
  const callIds = message?.content.map((part) => ('callId' in part ? part.callId : ''))
  return [Object.fromEntries(ids), message?.role, callIds?.filter((id) => id !== '')]
}

function checkPoint(hook: string, point: string, call: unknown): void {
  const problem = !(point in POINTS)
    ? `"${point}" is no hook point`
    : typeof call !== 'function'
      ? `"${point}" is not a function`
      : undefined
  if (problem === undefined) return
  throw new OrraError('options.invalid', `The hooks "${hook}" cannot be used: ${problem}.`, {
    details: { option: 'hooks', problem },
  })
}

function invalidPatch(point: HookPoint, problem: string): OrraError<'hook.invalid-patch'> {
  return new OrraError('hook.invalid-patch', `What a hook returned at ${point} cannot be used: ${problem}.`, {
    details: { point, problem },
  })
}
