import { toJson } from '../json.ts'
import type { Notices } from './notices.ts'

type Listener = Parameters<Notices['subscribe']>[1]

/** Notices that reach this process only. */
export function localNotices(): Notices {
  const listeners = new Map<string, Set<Listener>>()
  return {
    publish({ key }, notice) {
      for (const listener of listeners.get(key) ?? []) {
        const copy = toJson(notice)
        queueMicrotask(() => {
          if (listeners.get(key)?.has(listener)) heard(listener, copy)
        })
      }
    },
    async subscribe({ key }, listen) {
      // The same function may listen twice.
      const listener: Listener = (notice) => listen(notice)
      const those = listeners.get(key) ?? new Set()
      listeners.set(key, those.add(listener))
      return {
        async [Symbol.asyncDispose]() {
          those.delete(listener)
          if (those.size === 0 && listeners.get(key) === those) listeners.delete(key)
        },
      }
    },
  }
}

function heard(listener: Listener, notice: Parameters<Listener>[0]): void {
  try {
    listener(notice)
  } catch {
    // A listener's fault is its own.
  }
}
