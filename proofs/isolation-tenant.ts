import type { Namespace, Policies, Policy } from '@orra/core'
import { placesBelow, ROOTS } from './isolation-words.ts'
import type { Random } from './storm-random.ts'

/** Somebody who must not learn of the others, nor change anything of theirs. */
export interface Tenant {
  readonly index: number
  readonly root: Namespace
  /** The namespaces in which it works, the root among them. */
  readonly places: readonly Namespace[]
  /** A word that is in all that it says and keeps, and in nothing of anybody else's. */
  readonly secret: string
  /** It lets everything come to its end and removes nothing, so that what it used is known to the last token. */
  readonly isSteady: boolean
  readonly deniedTools: ReadonlySet<string>
  readonly deniedModel: string | undefined
  readonly policy: Policy
}

/** Every secret has this form, and no id that is made at random. */
const SECRET = /zqsecret([0-9a-z]{2})x[0-9a-z]{6}qz/gi

const DENIABLE = ['danger', 'note', 'pay', 'wipe', 'open_file', 'spawn_agent'] as const

export const MODELS = ['model-a', 'model-b', '__proto__'] as const

export function makeTenants(random: Random): readonly Tenant[] {
  const tenants = ROOTS.map((root, index) => makeTenant(root, index, random))
  const isApart = tenants.every(({ root }) =>
    tenants.every((other) => other.root === root || !other.root.contains(root)),
  )
  if (!isApart) throw new Error('A tenant lies below another one; give them other names.')
  return tenants
}

/** Whose secrets stand in a text, by the tenants' index. */
export function ownersOf(text: string): ReadonlySet<number> {
  const owners = new Set<number>()
  for (const [, index = ''] of text.matchAll(SECRET)) owners.add(Number.parseInt(index, 36))
  return owners
}

/** The text with all of one tenant's secrets made into another's; names, ids and places stay. */
export function relabelled(text: string, secret: string): string {
  return text.replaceAll(SECRET, secret)
}

/** Some tenants' policies, by patterns that match them alone. */
export function policiesOf(tenants: readonly Tenant[]): Policies {
  return Object.fromEntries(tenants.map(({ root, policy }) => [root.key.replaceAll('*', '%2A'), policy]))
}

function makeTenant(root: Namespace, index: number, random: Random): Tenant {
  const denied = DENIABLE.filter((_, place) => (place === 0 ? index % 2 === 0 : (index + place) % 5 === 0))
  const deniedModel = index % 3 === 1 ? MODELS[index % MODELS.length] : undefined
  const tail = Math.floor(random.next() * 36 ** 6).toString(36)
  return {
    ...{ index, root, places: placesBelow(root, index) },
    secret: `zqSecret${index.toString(36).padStart(2, '0')}x${tail.padStart(6, '0')}qz`,
    isSteady: index % 3 === 2,
    deniedTools: new Set(denied),
    deniedModel,
    policy: {
      tools: { deny: denied },
      ...(deniedModel === undefined ? {} : { models: { deny: [deniedModel] } }),
      ...(index % 4 === 1 ? { agents: { deny: ['writer', 'task'] } } : {}),
      approval: index % 4 === 2 ? { 'no*': 'unless-auto-approved' } : {},
      limits: limitsOf(index),
    },
  }
}

/** Some are never reached, some soon. */
function limitsOf(index: number): NonNullable<Policy['limits']> {
  return {
    ...{ maxTurns: 4, toolCallsPerRun: 10, spawnDepth: 1 + (index % 2) },
    ...(index % 2 === 0 ? { runsPerMonth: index % 5 === 4 ? 15 : 1_000_000 } : {}),
    ...(index % 3 !== 0 ? { tokensPerMonth: index % 7 === 1 ? 30_000 : 1_000_000_000 } : {}),
    ...(index % 4 === 3 ? { usdPerMonth: index % 8 === 3 ? 0.05 : 1_000_000 } : {}),
    ...(index % 9 === 0 ? { concurrentRuns: 2 } : {}),
  }
}
