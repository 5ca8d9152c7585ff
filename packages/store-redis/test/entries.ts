import { type Entry, Namespace } from '@orra/core'

// What the tests write.

export const bob = Namespace.of('bob')

export function input(key: string) {
  return {
    type: 'input',
    key,
    message: { role: 'user', content: [{ type: 'text', text: key }] },
  } as const satisfies Entry
}

export function message(key: string) {
  const content = [{ type: 'text', text: key }] as const
  return { type: 'message', input: key, message: { role: 'user', content } } as const satisfies Entry
}

export function started(key: string) {
  return { type: 'run-started', runId: `run-${key}`, input: key } as const satisfies Entry
}

export function ended(key: string) {
  const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
  return { type: 'run-ended', runId: `run-${key}`, reason: 'completed', usage } as const satisfies Entry
}
