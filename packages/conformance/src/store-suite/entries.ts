import {
  type Entry,
  type ErrorCode,
  isOrraError,
  type Lease,
  type LoggedEntry,
  Namespace,
  type SessionLog,
} from '@orra/core'

// What the scenarios write, and how they look at what they read.

export const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
export const alice = Namespace.of('tenant', 'acme', 'user', 'alice')
export const run = 'run-1'

/** Its key is the beginning of its text, unless another is given. */
export function input(text: string, key = text.slice(0, 20)) {
  return { type: 'input', key, message: { role: 'user', content: [{ type: 'text', text }] } } as const satisfies Entry
}

export function message(text: string) {
  return { type: 'message', message: { role: 'user', content: [{ type: 'text', text }] } } as const satisfies Entry
}

export function started(key: string) {
  return { type: 'run-started', runId: run, input: key } as const satisfies Entry
}

export function ended() {
  const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
  return { type: 'run-ended', runId: run, reason: 'completed', usage } as const satisfies Entry
}

export function requested(callId: string, expiresAt = Number.MAX_SAFE_INTEGER) {
  const request = { namespace: bob.key, runId: run, callId, tool: 'remove', input: {}, inputHash: 'hash' }
  const asked = { ...request, level: 'always', rule: 'the tool remove', requestedAt: 0, expiresAt } as const
  return { type: 'approval-requested', request: asked } as const satisfies Entry
}

/** `asked`: where it was asked for. */
export function decided(callId: string, asked: number, approved = true) {
  return { type: 'approval-decided', callId, asked, approved, by: bob.key } as const satisfies Entry
}

export function suspended(seen: number) {
  return { type: 'run-suspended', runId: run, seen } as const satisfies Entry
}

export function woken(runId = run) {
  return { type: 'call-woken', runId, callId: 'x' } as const satisfies Entry
}

/** `session`: its id. */
export function compaction(session: string, through: number, after = 0) {
  const place = { session, through, after, turns: 1, messages: 2 }
  return { type: 'compaction', ...place, summary: `Through ${through}.`, pins: [] } as const satisfies Entry
}

/** `session`: its id; `seq`: the place of the message. */
export function pinned(session: string, seq: number) {
  return { type: 'message-pinned', session, seq, message: message('pinned').message } as const satisfies Entry
}

/** `session`: its id. */
export function unpinned(session: string, seq: number) {
  return { type: 'message-unpinned', session, seq } as const satisfies Entry
}

export function result(callId: string) {
  const part = { type: 'tool-result', callId, name: 'remove', content: [] } as const
  return { type: 'message', message: { role: 'tool', content: [part] } } as const satisfies Entry
}

export async function claimed(sessions: SessionLog, owner = 'one'): Promise<Lease> {
  const lease = await sessions.claim(bob, { owner, ttlMs: 1000 })
  if (!lease) throw new Error('The lease should have been free.')
  return lease
}

/** Whether something thrown is the error of this code. */
export function code(expected: ErrorCode): (error: unknown) => boolean {
  return (error) => isOrraError(error, expected)
}

export const fenced = code('store.fenced')

export function entriesOf(logged: readonly LoggedEntry[]): readonly Entry[] {
  return logged.map(({ entry }) => entry)
}

export function textsOf(logged: readonly LoggedEntry[]): readonly string[] {
  return logged.flatMap(({ entry }) => {
    if (entry.type !== 'input' && entry.type !== 'message') return []
    return entry.message.content.flatMap((part) => (part.type === 'text' ? part.text : []))
  })
}
