import { minHeap } from './min-heap.ts'

/**
 * Who comes next, so that everybody who waits gets a share in proportion to its weight: each item would be through at a
 * virtual time, which its tenant's share of the whole decides, and the earliest comes first. However much one tenant has
 * waiting, another's first item is passed by about as much of it as that item itself costs, and by one item more. A
 * tenant's own items keep their order, and a tenant with nothing waiting takes no room.
 */
export interface FairQueue<T extends object> {
  readonly size: number
  add(tenant: string, item: T, cost: Cost): void
  /** The next one. */
  first(): T | undefined
  /** An item, the first of its tenant, has its turn. */
  pass(item: T): void
  /** An item does not wait any more, and had no turn. */
  delete(item: T): void
}

interface Cost {
  /** Above 0. */
  readonly cost: number
  /** The tenant's, above 0: who has twice as much gets twice as much. */
  readonly weight: number
}

interface Tenant<T> {
  readonly name: string
  /** The virtual time from which its first item is reckoned. */
  start: number
  readonly items: Map<T, Cost>
}

export function fairQueue<T extends object>(): FairQueue<T> {
  const tenants = new Map<string, Tenant<T>>()
  const tenantOf = new Map<T, Tenant<T>>()
  /** By when their first item would be through. */
  const byFinish = minHeap<Tenant<T>>()
  /** When the last one that had its turn was through. */
  let virtualTime = 0

  const firstOf = ({ items }: Tenant<T>) => items.entries().next().value
  const finishOf = ({ start }: Tenant<T>, { cost, weight }: Cost) => start + cost / weight

  /** To be called whenever the first item of a tenant is another one. */
  function place(tenant: Tenant<T>): void {
    const first = firstOf(tenant)
    if (first) {
      byFinish.set(tenant, finishOf(tenant, first[1]))
      return
    }
    byFinish.delete(tenant)
    tenants.delete(tenant.name)
    if (tenants.size === 0) virtualTime = 0
  }

  function remove(tenant: Tenant<T>, item: T): void {
    const wasFirst = firstOf(tenant)?.[0] === item
    tenant.items.delete(item)
    tenantOf.delete(item)
    if (wasFirst) place(tenant)
  }

  return {
    get size() {
      return tenantOf.size
    },

    add(name, item, cost) {
      const found = tenants.get(name)
      const tenant = found ?? { name, start: virtualTime, items: new Map() }
      tenant.items.set(item, cost)
      tenantOf.set(item, tenant)
      if (found) return
      tenants.set(name, tenant)
      place(tenant)
    },

    first() {
      const tenant = byFinish.first()
      return tenant && firstOf(tenant)?.[0]
    },

    pass(item) {
      const tenant = tenantOf.get(item)
      const cost = tenant?.items.get(item)
      if (!tenant || !cost) return
      // Others may have come in front of it since it was the next one.
      virtualTime = Math.max(virtualTime, finishOf(tenant, cost))
      tenant.start = virtualTime
      remove(tenant, item)
    },

    delete(item) {
      const tenant = tenantOf.get(item)
      if (tenant) remove(tenant, item)
    },
  }
}
