import { toJson } from '../json.ts'
import { textOf } from '../message.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { HookEvent, Hooks } from './hooks.ts'

/** What pino's loggers, and many others, can do. */
export interface Logger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface LoggingOptions {
  /**
   * Also what people, the model and tools say: messages, input, results, reasons. Whoever reads the log then reads other
   * people's conversations. @default false
   */
  readonly content?: boolean
}

/** Model calls whose beginning is remembered; of a run that never ends, it is forgotten in the end. */
const MOST_OPEN_CALLS = 10_000

const TOOL_NAME = /^[\w-]{1,64}$/

/**
 * A line for each run that begins and ends, each message, model call, tool call and approval asked for, with the namespace
 * and the run. Tools that fail are warnings, runs that fail errors. A logger that throws changes nothing.
 */
export function logging(logger: Logger, options: LoggingOptions = {}): Hooks {
  for (const level of ['info', 'warn', 'error'] as const) {
    if (typeof logger?.[level] !== 'function')
      throw invalidOption('logger', `it has no "${level}"; give one such as pino()`)
  }
  checkOptions('logging', options, { content: true } satisfies OptionNames<LoggingOptions>)
  const { content: withContent = false } = options
  const begun = new Map<string, number>()

  function say(level: keyof Logger, event: HookEvent, message: string, facts: object, content?: () => object): void {
    quietly(() => {
      const { namespace, runId, agent } = event
      const said = withContent ? content?.() : undefined
      return logger[level](
        { namespace: namespace.key, runId, ...(agent === undefined ? {} : { agent }), ...facts, ...said },
        message,
      )
    })
  }

  return {
    name: 'logging',

    runStart(event) {
      say('info', event, 'message', {}, () => ({ text: textOf(event.message) }))
    },

    sessionLoaded(event) {
      say('info', event, 'run started', { messages: event.messages })
    },

    beforeModelCall({ runId }) {
      if (runId === undefined) return
      begun.delete(runId)
      begun.set(runId, performance.now())
      if (begun.size > MOST_OPEN_CALLS) begun.delete(begun.keys().next().value ?? '')
    },

    afterModelCall(event) {
      const { runId = '', model, stopReason, usage, message } = event
      const at = begun.get(runId)
      begun.delete(runId)
      const ms = at === undefined ? {} : { ms: msOf(performance.now() - at) }
      say('info', event, 'model call', { model, stopReason, ...usage, ...ms }, () => ({ text: textOf(message) }))
    },

    beforeToolCall(event) {
      const { tool, callId, input } = event
      say('info', event, 'tool call started', { tool, callId }, () => ({ input: toJson(input) }))
    },

    approval(event) {
      const { request, decision } = event
      const { tool, callId, level, rule } = request
      const decided = decision ? { approved: decision.approved } : {}
      say('info', event, 'approval asked for', { tool, callId, level, rule, ...decided }, () => ({
        input: toJson(request.input),
        reason: decision?.reason,
      }))
    },

    afterToolCall(event) {
      const { tool, callId, isError, durationMs, content } = event
      // Where the model asked for what there is not, its name is the model's words.
      const facts = { tool: TOOL_NAME.test(tool) ? tool : 'unknown', callId, isError, ms: msOf(durationMs) }
      say(isError ? 'warn' : 'info', event, 'tool call', facts, () => ({ text: textOf(content) }))
    },

    runEnd(event) {
      const { runId = '', reason, usage } = event
      begun.delete(runId)
      say(reason === 'error' ? 'error' : 'info', event, 'run ended', { reason, ...usage })
    },
  }
}

/** A throw, or a promise that rejects, is nobody's here. */
function quietly(work: () => unknown): void {
  void (async () => work())().catch(() => {})
}

function msOf(duration: number): number {
  return Math.round(duration)
}
