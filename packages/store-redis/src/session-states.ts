import type { RedisAccess } from './redis-access.ts'
import { READ_STATE } from './session-scripts.ts'
import { type FoundSession, foundSession, type SessionState } from './session-state.ts'

/** Reads the states of sessions, and remembers the last ones: the holder of a lease then appends without reading. */
export interface SessionStates {
  read(namespace: string, inputKeys?: readonly string[]): Promise<FoundSession>
  /** As it was when this process last saw it. It may have changed since. */
  remembered(namespace: string): SessionState | undefined
  remember(namespace: string, state: SessionState | undefined): void
}

const REMEMBERED = 1000

export function sessionStates(access: RedisAccess): SessionStates {
  const states = new Map<string, SessionState>()

  function remember(namespace: string, state: SessionState | undefined): void {
    states.delete(namespace)
    if (state) states.set(namespace, state)
    const [oldest] = states.keys()
    if (oldest !== undefined && states.size > REMEMBERED) states.delete(oldest)
  }

  return {
    async read(namespace, inputKeys) {
      const found = await readState(access, namespace, inputKeys)
      remember(namespace, found.state)
      return found
    },
    remembered: (namespace) => states.get(namespace),
    remember,
  }
}

export async function readState(
  access: RedisAccess,
  namespace: string,
  inputKeys: readonly string[] = [],
): Promise<FoundSession> {
  return foundSession(await access.run(READ_STATE, access.keys.session(namespace), inputKeys))
}
