import { Namespace } from '@orra/core'

/** Where tenants are, outermost segment first. Each is somebody else's name, nearly; none lies below another. */
const PLACES: readonly (readonly [string, ...string[]])[] = [
  ['tenant', 'acme'],
  ['tenant', 'acme2'],
  ['tenant', 'Acme'],
  ['tenant', 'acme:user'],
  ['tenant', 'acme%3Auser'],
  ['tenant', 'agent'],
  ['tenant', '*'],
  ['tenant', '%2A'],
  ['tenant', '..'],
  ['tenant', '/'],
  ['tenant', '__proto__'],
  ['tenant', 'constructor'],
  ['tenant', 'caf\u00e9'],
  ['tenant', 'cafe\u0301'],
  ['tenant', '\u{1f98a}'],
  ['tenant', ' '],
  ['tenant', '\u200b'],
  ['tenant', '\n\t\u0001'],
  ['tenant', 'x'.repeat(700)],
  ['tenant2', 'acme'],
  ['a:b'],
  ['a', 'b'],
  ['agent'],
  ['agent2', 'task'],
  ['project', '%3A'],
  ['project', ':'],
  ['org', 'acme', 'user', 'bob'],
  ['org', 'acme', 'user', 'bob2'],
  ['.'],
]

/** Names that mean something to somebody: paths, patterns, properties of objects, keys of others. */
const NAMES: readonly string[] = [
  'bob',
  'Bob',
  'acme',
  'tenant:acme',
  'tenant%3Aacme',
  'agent',
  'task',
  'project',
  '*',
  '%2A',
  '%3A',
  '..',
  '../acme',
  '/',
  '__proto__',
  'constructor',
  'toString',
  'orra.approvals',
  '\u200b',
  'caf\u00e9',
  'cafe\u0301',
  '\u{1f98a}',
  "'; drop table records; --",
  '\n',
]

/** For ids, keys and collections: names, and what no store takes. */
export const IDS: readonly string[] = [...NAMES, ...PLACES.map((place) => Namespace.of(...place).key.slice(0, 256))]
export const BAD_IDS: readonly string[] = ['', '\0', 'a\0b', '\ud800', 'y'.repeat(300)]
export const COLLECTIONS: readonly string[] = ['notes', 'memory', '..', '__proto__', 'orra.approvals', 'orra.projects']

/** What everybody's texts hold, so that a search for it would find everybody's. */
export const COMMON_WORDS = 'our secret plan for the budget'

export const ROOTS: readonly Namespace[] = PLACES.map((place) => Namespace.of(...place))

/** Where the people, agents and projects of a tenant are; where a name would be too long there is none. */
export function placesBelow(root: Namespace, turn: number): readonly Namespace[] {
  const others = [...NAMES, ...ROOTS.map(({ key }) => key)]
  const name = (step: number) => others[(turn * 7 + step * 13) % others.length] as string
  const tails: readonly (readonly [string, ...string[]])[] = [
    ['user', 'bob'],
    ['user', name(1)],
    ['user', name(2)],
    ['agent', 'task', name(3)],
    ['project', name(4)],
    [name(5)],
  ]
  return [root, ...tails.flatMap((tail) => childOf(root, tail) ?? [])]
}

function childOf(root: Namespace, tail: readonly [string, ...string[]]): Namespace | undefined {
  try {
    return root.child(...tail)
  } catch {
    return undefined
  }
}
