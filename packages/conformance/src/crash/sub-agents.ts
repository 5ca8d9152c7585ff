import { type Caller, Namespace } from '@orra/core'
import { plainNames } from './plain-names.ts'
import type { SessionSnapshot } from './snapshot.ts'

/** Whose call a session answers, or answered first. */
export function callerOf({ entries }: SessionSnapshot): Caller | undefined {
  for (const { entry } of entries) if (entry.type === 'input' && entry.spawnedBy) return entry.spawnedBy.callers.at(-1)
  return undefined
}

/** Names the call that a sub-agent was begun by. */
export function callName({ runId, callId }: Pick<Caller, 'runId' | 'callId'>): string {
  return JSON.stringify([runId, callId])
}

/** The calls by which sub-agents were begun. */
export function spawningCalls(sessions: readonly SessionSnapshot[]): ReadonlySet<string> {
  return new Set(sessions.flatMap((session) => callerOf(session) ?? []).map(callName))
}

/** All sessions by names that are the same every time: sub-agents are numbered in the order of the calls that began them. */
export function byPlainName(sessions: readonly SessionSnapshot[]): ReadonlyMap<string, SessionSnapshot> {
  const nameOf = plainNames()
  const places = callPlaces(sessions)
  const placeOf = (session: SessionSnapshot) => {
    const caller = callerOf(session)
    return caller ? (places.get(callName(caller)) ?? 0) : 0
  }
  const inOrder = sessions.toSorted((a, b) => placeOf(a) - placeOf(b) || a.head.createdAt - b.head.createdAt)
  return new Map(inOrder.map((session) => [nameOf(Namespace.parse(session.head.namespace)), session]))
}

/** Where each call stands in its session's log, counting calls from 1. */
function callPlaces(sessions: readonly SessionSnapshot[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>()
  for (const { entries } of sessions) {
    let runId = ''
    let calls = 0
    for (const { entry } of entries) {
      if (entry.type === 'run-started') runId = entry.runId
      if (entry.type !== 'message' || entry.message.role !== 'assistant') continue
      for (const part of entry.message.content) {
        if (part.type === 'tool-call') places.set(callName({ runId, callId: part.callId }), ++calls)
      }
    }
  }
  return places
}
