import { afterEach, describe, expect, it, vi } from 'vitest'
import { isOrraError } from '../errors.ts'
import { Namespace } from '../namespace.ts'
import { NO_USAGE } from '../provider.ts'
import type { ApprovalRequest } from '../store/approval-request.ts'
import type { HookEvent, Hooks } from './hooks.ts'
import { type Logger, logging } from './logging.ts'

const SECRET = 'Bob’s secret'
const text = [{ type: 'text' as const, text: SECRET }]

const baseOf = (runId = 'run-1'): HookEvent => ({
  namespace: Namespace.of('user', 'bob'),
  metadata: { note: SECRET },
  runId,
  signal: new AbortController().signal,
})

const request: ApprovalRequest = {
  namespace: 'user:bob',
  runId: 'run-1',
  callId: 'c1',
  tool: 'send',
  input: { to: SECRET },
  inputHash: '00',
  level: 'always',
  rule: 'tool',
  requestedAt: 0,
  expiresAt: 1,
}

type Line = readonly [level: string, message: string, fields: Record<string, unknown>]

const recorded = () => {
  const lines: Line[] = []
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, message, { ...fields }])
  const logger: Logger = { info: at('info'), warn: at('warn'), error: at('error') }
  return { lines, logger }
}

/** One run from its beginning to its end, which all say the same. */
const play = (hooks: Hooks, base = baseOf(), isError = false) => {
  const tool = { callId: 'c1', tool: 'send' }
  const message = { role: 'assistant' as const, content: text }
  const decision = { approved: false, reason: SECRET }
  return [
    hooks.runStart?.({ ...base, message: { role: 'user', content: text } }),
    hooks.sessionLoaded?.({ ...base, messages: 3 }),
    hooks.beforeModelCall?.({ ...base, request: { messages: [], tools: [], instructions: SECRET } }),
    vi.isFakeTimers() ? vi.advanceTimersByTime(250) && undefined : undefined,
    hooks.afterModelCall?.({
      ...base,
      message,
      stopReason: 'stop',
      model: 'm-1',
      usage: { ...NO_USAGE, inputTokens: 9 },
    }),
    hooks.beforeToolCall?.({ ...base, ...tool, input: { to: SECRET }, inputSchema: {} }),
    hooks.approval?.({ ...base, request, decision }),
    hooks.afterToolCall?.({ ...base, ...tool, content: text, isError, durationMs: 12.6 }),
    hooks.runEnd?.({ ...base, reason: isError ? 'error' : 'completed', usage: NO_USAGE }),
  ]
}

afterEach(() => {
  vi.useRealTimers()
})

describe('logging', () => {
  it('tells of a run, and of nothing that anybody said', () => {
    vi.useFakeTimers()
    const { lines, logger } = recorded()
    play(logging(logger))
    const whose = { namespace: 'user:bob', runId: 'run-1' }
    const call = { tool: 'send', callId: 'c1' }
    expect(lines).toEqual([
      ['info', 'message', whose],
      ['info', 'run started', { ...whose, messages: 3 }],
      ['info', 'model call', { ...whose, model: 'm-1', stopReason: 'stop', ...NO_USAGE, inputTokens: 9, ms: 250 }],
      ['info', 'tool call started', { ...whose, ...call }],
      ['info', 'approval asked for', { ...whose, ...call, level: 'always', rule: 'tool', approved: false }],
      ['info', 'tool call', { ...whose, ...call, isError: false, ms: 13 }],
      ['info', 'run ended', { ...whose, reason: 'completed', ...NO_USAGE }],
    ])
    expect(JSON.stringify(lines)).not.toContain(SECRET)
  })

  it('tells what was said when it is asked to', () => {
    const { lines, logger } = recorded()
    play(logging(logger, { content: true }))
    const saying = lines.filter((line) => JSON.stringify(line).includes(SECRET)).map(([, message]) => message)
    expect(saying).toEqual(['message', 'model call', 'tool call started', 'approval asked for', 'tool call'])
  })

  it('hands over copies, so that a logger changes nothing', () => {
    const input = { to: 'alice' }
    const redact = (fields: object) => {
      if ('input' in fields) (fields.input as { to: string }).to = '[redacted]'
    }
    const hooks = logging({ info: redact, warn: redact, error: redact }, { content: true })
    hooks.beforeToolCall?.({ ...baseOf(), callId: 'c1', tool: 'send', input, inputSchema: {} })
    expect(input).toEqual({ to: 'alice' })
  })

  it('warns of tools that fail, and has errors of runs that do', () => {
    const { lines, logger } = recorded()
    play(logging(logger), baseOf(), true)
    const loud = lines.filter(([level]) => level !== 'info').map(([level, message]) => [level, message])
    expect(loud).toEqual([
      ['warn', 'tool call'],
      ['error', 'run ended'],
    ])
    expect(JSON.stringify(lines)).not.toContain(SECRET)
  })

  it('does not take over a name that the model made up', () => {
    const { lines, logger } = recorded()
    const event = { callId: 'c1', tool: SECRET, content: text, isError: true, durationMs: 1 }
    logging(logger).afterToolCall?.({ ...baseOf(), ...event })
    expect(lines[0]?.[2]['tool']).toBe('unknown')
  })

  it('keeps the times of runs apart', () => {
    vi.useFakeTimers()
    const { lines, logger } = recorded()
    const hooks = logging(logger)
    const asked = { request: { messages: [], tools: [] } }
    const answered = {
      message: { role: 'assistant' as const, content: text },
      stopReason: 'stop' as const,
      model: 'm',
      usage: NO_USAGE,
    }
    hooks.beforeModelCall?.({ ...baseOf('a'), ...asked })
    vi.advanceTimersByTime(100)
    hooks.beforeModelCall?.({ ...baseOf('b'), ...asked })
    vi.advanceTimersByTime(10)
    for (const runId of ['b', 'a', 'a', 'never']) hooks.afterModelCall?.({ ...baseOf(runId), ...answered })
    expect(lines.map(([, , { ms }]) => ms)).toEqual([10, 110, undefined, undefined])
  })

  it('forgets the oldest of very many calls that never came back', () => {
    vi.useFakeTimers()
    const { lines, logger } = recorded()
    const hooks = logging(logger)
    for (let run = 0; run <= 10_000; run += 1) {
      hooks.beforeModelCall?.({ ...baseOf(`r${run}`), request: { messages: [], tools: [] } })
    }
    const answered = { message: { role: 'assistant' as const, content: [] }, model: 'm', usage: NO_USAGE }
    for (const runId of ['r0', 'r1']) hooks.afterModelCall?.({ ...baseOf(runId), ...answered, stopReason: 'stop' })
    expect(lines.map(([, , { ms }]) => ms)).toEqual([undefined, 0])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('takes no notice of a logger that %s', async (_, fail) => {
    const hooks = logging({ info: fail, warn: fail, error: fail } as Logger, { content: true })
    expect(play(hooks).every((returned) => returned === undefined)).toBe(true)
  })

  it('calls the logger as a method', () => {
    const lines: string[] = []
    class Own {
      info(_: object, message: string) {
        this.keep(message)
      }
      warn() {}
      error() {}
      private keep(message: string) {
        lines.push(message)
      }
    }
    logging(new Own()).sessionLoaded?.({ ...baseOf(), messages: 0 })
    expect(lines).toEqual(['run started'])
  })

  it.each([
    [undefined, {}],
    [{ info() {}, warn() {} }, {}],
    [recorded().logger, { contents: true }],
  ])('refuses the logger %o with %o', (logger, options) => {
    try {
      logging(logger as Logger, options as object)
      expect.unreachable()
    } catch (error) {
      expect(isOrraError(error, 'options.invalid')).toBe(true)
    }
  })
})
