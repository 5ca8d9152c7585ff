import {
  type ApprovalRequest,
  type ContextOptions,
  createProjects,
  createRuntime,
  type Namespace,
  type Projects,
  policySource,
  priceTable,
  type Runtime,
  type Store,
  type Tool,
} from '@orra/core'
import { watchingHooks } from './isolation-hooks.ts'
import { type Lookout, openLookout } from './isolation-lookout.ts'
import { AGENTS, hostileModel } from './isolation-model.ts'
import { watchedStore } from './isolation-store.ts'
import { makeTenants, policiesOf, type Tenant } from './isolation-tenant.ts'
import { hostileTools } from './isolation-tools.ts'
import { seededRandom } from './storm-random.ts'

/** What a tenant's model calls came to, as the model itself counts them. */
interface Spent {
  calls: number
  inputTokens: number
  outputTokens: number
}

/** What the harness knows of a tenant beside what the tenant was told. */
export interface Known {
  /** Namespaces below its root that exist for a while: projects and imported sessions. */
  readonly further: Namespace[]
  /** Its sessions as they were exported. */
  readonly exported: string[]
  /** Calls for which an approval was asked. */
  readonly asked: ApprovalRequest[]
  readonly spent: Spent
  /** How many messages it has sent, accepted or not. */
  sent: number
}

/** An application with many tenants on one store, and somebody who looks on. */
export interface World {
  readonly store: Store
  readonly orra: Runtime
  readonly projects: Projects
  readonly lookout: Lookout
  readonly tenants: readonly Tenant[]
  readonly known: readonly Known[]
  /** How long somebody waits for an answer who may leave, in milliseconds. */
  readonly patienceMs: number
}

export interface WorldOptions {
  readonly store: Store
  readonly seed: number
  readonly patienceMs: number
  /** Further tools, of which the model makes use, too. */
  readonly tools?: readonly Tool[]
}

/** So little fits that results are clipped, and what was said is summed up after a few messages. */
const TIGHT: ContextOptions = {
  windowTokens: 3000,
  outputReserveTokens: 500,
  strategies: [
    { type: 'clip-results', maxTokens: 100 },
    { type: 'drop-results' },
    { type: 'compact', model: 'model-b', at: 0.5 },
  ],
}

/** How many of a kind are remembered. */
const MOST_KNOWN = 30

export function makeWorld({ store, seed, patienceMs, tools = [] }: WorldOptions): World {
  const lookout = openLookout()
  const watched = watchedStore(store, lookout)
  const tenants = makeTenants(seededRandom(seed, 'tenants'))
  const known = tenants.map((): Known => {
    return { further: [], exported: [], asked: [], spent: { calls: 0, inputTokens: 0, outputTokens: 0 }, sent: 0 }
  })
  const allTools = [...hostileTools(lookout), ...tools]
  const spend = ({ index }: Tenant, inputTokens: number, outputTokens: number) => {
    const { spent } = known[index] as Known
    spent.calls += 1
    spent.inputTokens += inputTokens
    spent.outputTokens += outputTokens
  }
  const asked = ({ index }: Tenant, request: ApprovalRequest) => {
    remember((known[index] as Known).asked, request)
  }
  const half = Math.floor(tenants.length / 2)
  const loaded = policiesOf(tenants.slice(half))
  const orra = createRuntime({
    store: watched,
    provider: hostileModel({ lookout, seed, tools: allTools.map(({ name }) => name), spend }),
    tools: allTools,
    agents: AGENTS,
    policies: [
      policiesOf(tenants.slice(0, half)),
      policySource({
        load(namespace) {
          lookout.handed('the load of policies', namespace, undefined)
          return loaded
        },
      }),
    ],
    hooks: watchingHooks(lookout, asked),
    approvals: { suspend: true },
    context: TIGHT,
    prices: priceTable({ '*': { input: 1, output: 10 } }),
    instructions({ namespace, metadata, agent, tools }) {
      const tenant = lookout.handed('the instructions', namespace, { metadata, agent, tools })
      return `You serve ${tenant?.secret}.`
    },
  })
  const projects = createProjects(watched.records)
  return { store, orra, projects, lookout, tenants, known, patienceMs }
}

/** Keeps something, and forgets what is older than the last few. */
export function remember<T>(list: T[], item: T): void {
  list.push(item)
  if (list.length > MOST_KNOWN) list.shift()
}

export function knownOf({ known }: Pick<World, 'known'>, { index }: Tenant): Known {
  return known[index] as Known
}
