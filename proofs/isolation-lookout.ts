import { AsyncLocalStorage } from 'node:async_hooks'
import { isOrraError, type Namespace } from '@orra/core'
import { ownersOf, type Tenant } from './isolation-tenant.ts'

/** How something was not apart: it was seen, it was reached, it was changed, it was done though denied, it was counted. */
type LeakKind = 'seen' | 'reached' | 'changed' | 'done' | 'counted'

export interface Finding {
  readonly kind: LeakKind | 'broke'
  readonly where: string
  readonly text: string
}

/** Whose call is being done, and where. */
interface Acting {
  readonly tenant: Tenant
  readonly what: string
  /** Whom this call may look for, as it asks for something of theirs and is to be refused. */
  readonly mayRead: Tenant | undefined
}

/** Knows whose call is being done, whatever comes of it, and looks at all that comes by. */
export interface Lookout {
  readonly findings: readonly Finding[]
  /** Does something as this tenant's call. */
  as<T>(tenant: Tenant, what: string, work: () => Promise<T>, mayRead?: Tenant): Promise<T>
  /** Something is handed to a tenant: of nobody else may anything be in it. */
  see(tenant: Tenant, where: string, value: unknown): void
  /** Something is handed to whoever's call is being done; returns who that is. */
  handed(where: string, namespace: Namespace | undefined, value: unknown): Tenant | undefined
  /** The store is asked for something of this namespace; `undefined` for everybody's. */
  reached(where: string, namespace: Namespace | undefined, isRead: boolean): void
  find(kind: Finding['kind'], where: string, text: string): void
}

export function openLookout(): Lookout {
  const findings: Finding[] = []
  const current = new AsyncLocalStorage<Acting>()

  function find(kind: Finding['kind'], where: string, text: string): void {
    findings.push({ kind, where, text: text.slice(0, 600) })
  }

  function see(tenant: Tenant, where: string, value: unknown): void {
    const text = textOf(value)
    for (const owner of ownersOf(text)) {
      if (owner === tenant.index) continue
      find('seen', where, `tenant ${tenant.index} sees something of tenant ${owner}: ${around(text, owner)}`)
    }
  }

  return {
    findings,
    find,
    see,
    as: (tenant, what, work, mayRead) => current.run({ tenant, what, mayRead }, work),

    handed(where, namespace, value) {
      const acting = current.getStore()
      if (!acting) {
        find('reached', where, `it is called for ${shortened(namespace?.key)} in nobody's call`)
        return undefined
      }
      const { tenant, what } = acting
      if (namespace && !tenant.root.contains(namespace)) {
        find(
          'reached',
          where,
          `it is called for ${shortened(namespace.key)} in a call (${what}) of tenant ${tenant.index}`,
        )
      }
      see(tenant, where, value)
      return tenant
    },

    reached(where, namespace, isRead) {
      const { tenant, what, mayRead } = current.getStore() ?? {}
      const isOwn = namespace !== undefined && tenant?.root.contains(namespace)
      if (isOwn || (isRead && namespace && mayRead?.root.contains(namespace))) return
      const whose = tenant
        ? `a call (${what}) of tenant ${tenant.index}, ${shortened(tenant.root.key)}`
        : "nobody's call"
      find('reached', where, `${whose} comes to ${namespace ? shortened(namespace.key) : 'everybody'}`)
    },
  }
}

/** All text in a value, of errors too, down to their causes. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join('\n')
  const told = (_: string, inner: unknown): unknown => {
    if (inner instanceof Error) {
      const details = isOrraError(inner) ? inner.details : {}
      return { ...inner, details, message: inner.message, stack: inner.stack, cause: inner.cause }
    }
    if (inner instanceof Map || inner instanceof Set) return [...inner]
    if (inner instanceof AbortSignal || typeof inner === 'bigint' || typeof inner === 'function') return undefined
    return inner
  }
  try {
    return JSON.stringify(value, told) ?? ''
  } catch (error) {
    return `it cannot be told: ${error}`
  }
}

/** A key as it can be read; some are very long. */
export function shortened(key = 'nobody'): string {
  return JSON.stringify(key.length > 120 ? `${key.slice(0, 60)}…${key.slice(-50)}` : key)
}

function around(text: string, owner: number): string {
  const at = text.toLowerCase().indexOf(`zqsecret${owner.toString(36).padStart(2, '0')}x`)
  return JSON.stringify(text.slice(Math.max(0, at - 150), at + 60))
}
