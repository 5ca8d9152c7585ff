import { type ScriptedProvider, type ScriptStep, scriptedProvider } from '@orra/conformance'
import {
  createRuntime,
  defineTool,
  isOrraError,
  memoryStore,
  type PolicySource,
  type Runtime,
  type RuntimeOptions,
  type Store,
  type Tool,
  type ToolContext,
} from '@orra/core'

/** What is there when a path is tried: the tool `act`, and policies that may turn against it. */
export interface World {
  /** What has run of `act`, in order. */
  readonly ran: readonly string[]
  readonly store: Store
  readonly act: Tool
  /** Every model so far. */
  readonly providers: readonly ScriptedProvider[]
  /** A process with `act`, on the one store. */
  open(steps: readonly ScriptStep[], options?: Partial<RuntimeOptions>): Runtime
  options(steps: readonly ScriptStep[], options?: Partial<RuntimeOptions>): RuntimeOptions
  /** From here on policies deny `act`, where that is what is tried. */
  change(): void
  /** A model that has seen the tool and calls it; policies change before it is run. */
  readonly acts: ScriptStep
}

export interface Path {
  readonly name: string
  readonly hints?: Partial<Tool>
  /** What runs when nothing is against it. @default its `execute` */
  readonly runs?: readonly string[]
  /** A hook shows the model what the gate does not. */
  readonly isShown?: true
  readonly go: (world: World) => Promise<unknown>
}

/** What may be against it. `later`: only once `change` is called, and what was listed before was allowed. */
export interface Against {
  readonly name: string
  readonly later?: true
  /** Nothing is said to the model, for it may not be called either. */
  readonly isSilent?: true
  /** `isChanged` tells whether it was changed by now, `onChange` calls back when it is. */
  readonly policies: (isChanged: () => boolean, onChange: (work: () => void) => void) => Partial<RuntimeOptions>
}

export const source = (policiesFor: PolicySource['policiesFor']) => ({ policies: { policiesFor } })

/** Nothing is against it. */
export const NOTHING: Against = { name: 'nothing', policies: () => source(() => ({})) }

export interface Tried extends World {
  /** For each model, how many requests it had when policies changed; absent when they never did. */
  readonly changedAt: readonly number[] | undefined
}

export function worldFor({ hints = {} }: Pick<Path, 'hints'>, against: Against): Tried {
  const ran: string[] = []
  const store = memoryStore()
  const providers: ScriptedProvider[] = []
  const listeners: (() => void)[] = []
  let changedAt: readonly number[] | undefined
  const policies = against.policies(
    () => changedAt !== undefined,
    (work) => listeners.push(work),
  )
  const change = () => {
    changedAt ??= providers.map(({ requests }) => requests.length)
    for (const work of listeners) work()
  }
  const { reconcile, ...others } = hints
  const act: Tool = {
    ...defineTool({ name: 'act', description: 'Acts.', input: { type: 'object' }, execute: () => 'acted' }),
    ...others,
    execute() {
      ran.push('execute')
      return 'acted'
    },
    ...(reconcile && {
      reconcile(input: unknown, context: ToolContext) {
        ran.push('reconcile')
        return reconcile(input, context)
      },
    }),
  }
  const options = (steps: readonly ScriptStep[], more: Partial<RuntimeOptions> = {}): RuntimeOptions => {
    const provider = scriptedProvider(steps)
    providers.push(provider)
    const plugins = [...(policies.plugins ?? []), ...(more.plugins ?? [])]
    return { provider, store, tools: [act], ...policies, ...more, plugins }
  }
  return {
    ...{ ran, store, act, providers, options, change },
    open: (steps, more) => createRuntime(options(steps, more)),
    acts() {
      change()
      return { toolCalls: [{ name: 'act' }] }
    },
    get changedAt() {
      return changedAt
    },
  }
}

/** Goes a path to its end, whatever that is. */
export async function tried(path: Path, against: Against): Promise<Tried> {
  const world = worldFor(path, against)
  await path.go(world).catch((error: unknown) => {
    if (!isOrraError(error, 'policy.unreachable')) throw error
  })
  return world
}

/** Requests that show `act`, of those that were made when it was denied. */
export function shownIn({ providers, changedAt }: Tried, { later }: Against): number {
  const after = (index: number) => (later ? (changedAt?.[index] ?? 0) : 0)
  const requests = providers.flatMap((provider, index) => provider.requests.slice(after(index)))
  return requests.filter(({ tools }) => tools.some(({ name }) => name === 'act')).length
}

/** What the model was told of its calls of `act`. */
export function toldOf({ providers }: Tried): string {
  const messages = providers.flatMap(({ requests }) => requests.flatMap((request) => request.messages))
  const results = messages.flatMap(({ role, content }) => (role === 'tool' ? content : []))
  return JSON.stringify(results)
}
