import { Namespace } from '@orra/core'

const ROLES: { readonly [name: string]: 'member' | 'viewer' } = { alice: 'member', bob: 'member', vic: 'viewer' }

export const NAMES = Object.keys(ROLES)

/** Where somebody's conversation lives; `undefined` for a stranger. */
export function namespaceOf(name: string): Namespace | undefined {
  const role = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined
  return role && Namespace.of('company', role, name)
}
