import type { Namespace } from '@orra/core'
import type { SessionRow } from './session-rows.ts'

/**
 * Sessions as this process last saw them, so that an append need not read what it is appended to. Each may be out of date,
 * which whoever writes finds out.
 */
export interface RecentSessions {
  readonly get: (namespace: Namespace) => SessionRow | undefined
  readonly set: (namespace: Namespace, row: SessionRow) => void
  /** This one and all below it. */
  readonly forget: (namespace: Namespace) => void
}

export function recentSessions(most = 1000): RecentSessions {
  const rows = new Map<string, SessionRow>()
  return {
    get: ({ key }) => rows.get(key),
    set({ key }, row) {
      // The oldest stands first.
      rows.delete(key)
      rows.set(key, row)
      for (const oldest of rows.keys()) {
        if (rows.size <= most) break
        rows.delete(oldest)
      }
    },
    forget({ key }) {
      for (const other of rows.keys()) if (other === key || other.startsWith(`${key}:`)) rows.delete(other)
    },
  }
}
