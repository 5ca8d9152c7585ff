import { linkAbort, untilAborted } from './abort.ts'
import type { OpenCall, OpenRun } from './conversation.ts'
import type { Entry } from './entry.ts'
import { type ContentPart, isContent, type ToolCallPart, type ToolResultPart } from './message.ts'
import type { RunScope } from './run-scope.ts'
import { mustStayOpen } from './stay-open.ts'
import { mayRunAgain, type ReadyTool, type ToolContext, type ToolOutput } from './tool.ts'

interface Outcome {
  readonly content: readonly ContentPart[]
  readonly isError: boolean
}

/**
 * Brings open calls to their results, some at a time. Each result is appended when it is there. Throws the signal's
 * reason when that aborts, and the store's failure when there is one; the calls without a result then stay open.
 */
export async function callTools(scope: RunScope, run: OpenRun, calls: readonly OpenCall[]): Promise<void> {
  using group = linkAbort(scope.signal)
  const grouped = { ...scope, signal: group.signal }
  const waiting = calls.values()
  const work = async () => {
    try {
      for (const open of waiting) {
        group.signal.throwIfAborted()
        await callTool(grouped, run, open)
      }
    } catch (error) {
      // One that cannot write its result leaves the others no log to write theirs to.
      group.abort(error)
    }
  }
  await Promise.all(Array.from({ length: Math.min(scope.services.maxParallelTools, calls.length) }, work))
  group.signal.throwIfAborted()
}

/** A result for every call that has none, for a run that ends before its tools do. */
export function abandonedResults(calls: Iterable<OpenCall>): readonly Entry[] {
  return Array.from(calls, ({ call, started }) =>
    resultEntry(
      call,
      failure(
        started
          ? 'It was stopped while it ran; nobody knows how far it came.'
          : 'It was not run: the run was stopped before.',
      ),
    ),
  )
}

async function callTool(scope: RunScope, run: OpenRun, open: OpenCall): Promise<void> {
  const { services, namespace, runId, log, signal, emit } = scope
  const { hooks } = services
  const { callId, name: tool } = open.call
  const startedAt = performance.now()

  emit({ type: 'tool-call-start', callId, tool, input: open.call.input })
  let outcome = await attempt(scope, run, open)
  const durationMs = performance.now() - startedAt
  if (hooks.has('afterToolCall')) {
    const event = { callId, tool, ...outcome, durationMs }
    outcome = await orFailure(
      async () => (await hooks.call('afterToolCall', { namespace, runId, signal }, event)).event,
    )
  }
  const { content, isError } = outcome
  await log.append([resultEntry(open.call, outcome)], scope)
  emit({ type: 'tool-call-end', callId, tool, content, isError, durationMs })
}

/** Every check in its order, and then the tool itself. Whatever fails becomes words for the model. */
async function attempt(scope: RunScope, run: OpenRun, open: OpenCall): Promise<Outcome> {
  const { services, namespace, runId, signal, log } = scope
  const { hooks } = services
  const { callId, name } = open.call

  const tool = services.tools.get(name)
  if (!tool) return failure(`There is no tool named "${name}".`)
  if (run.settings.tools && !run.settings.tools.includes(name))
    return failure(`The tool "${name}" is not offered in this run.`)
  const decision = services.gate.decide(namespace, { type: 'tool', name })
  if (!decision.allowed) return failure(decision.reason)
  if (open.started && !mayRunAgain(tool)) {
    return failure('It was begun and then interrupted; nobody knows whether it took effect. Look before you try again.')
  }

  return orFailure(async () => {
    let input = open.call.input
    if (hooks.has('beforeToolCall')) {
      const outcome = await hooks.call('beforeToolCall', { namespace, runId, signal }, { callId, tool: name, input })
      if (outcome.denied !== undefined) return failure(outcome.denied)
      input = outcome.event.input
    }
    const checked = await tool.schema.validate(input)
    if (!checked.valid) return failure(`The input does not fit the tool's schema:\n${checked.problems.join('\n')}`)
    if (!mayRunAgain(tool)) await log.append([{ type: 'tool-started', callId }], scope)
    return succeeded(await execute(scope, tool, open.call, checked.value))
  }, signal)
}

async function execute(scope: RunScope, tool: ReadyTool, call: ToolCallPart, input: unknown): Promise<ToolOutput> {
  const { namespace, runId, emit } = scope
  const { callId, name } = call
  let over = false
  const contextWith = (signal: AbortSignal): ToolContext => ({
    namespace,
    runId,
    callId,
    signal,
    progress: (message) => {
      if (!over) emit({ type: 'tool-call-progress', callId, tool: name, message })
    },
  })
  try {
    if (tool.timeoutMs === undefined) {
      return await untilAborted(start(tool, input, contextWith(scope.signal)), scope.signal)
    }
    using deadline = linkAbort(scope.signal)
    const timer = setTimeout(
      () => deadline.abort(new Error(`It did not finish within ${tool.timeoutMs} ms.`)),
      tool.timeoutMs,
    )
    try {
      return await untilAborted(start(tool, input, contextWith(deadline.signal)), deadline.signal)
    } finally {
      clearTimeout(timer)
    }
  } finally {
    over = true
  }
}

/** So that a tool that throws at once fails like one that throws later. */
async function start(tool: ReadyTool, input: unknown, context: ToolContext): Promise<ToolOutput> {
  return tool.execute(input, context)
}

/** The run's own end and the store's failures are nobody's tool result. */
async function orFailure(work: () => Promise<Outcome>, signal?: AbortSignal): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (mustStayOpen(error)) throw error
    return failure(
      error instanceof Error && error.message.trim() !== '' ? error.message : 'The tool failed without saying why.',
    )
  }
}

function succeeded(output: ToolOutput): Outcome {
  const content = typeof output === 'string' ? [{ type: 'text', text: output } as const] : output
  if (!isContent(content)) return failure('The tool returned neither text nor content parts.')
  return { content, isError: false }
}

function failure(text: string): Outcome {
  return { content: [{ type: 'text', text }], isError: true }
}

function resultEntry({ callId, name }: ToolCallPart, { content, isError }: Outcome): Entry {
  const result: ToolResultPart = { type: 'tool-result', callId, name, content, ...(isError ? { isError } : {}) }
  return { type: 'message', message: { role: 'tool', content: [result] } }
}
