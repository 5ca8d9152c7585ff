import { OrraError } from './errors.ts'
import type { RunEvent, RunResult } from './event.ts'
import { textOf } from './message.ts'
import type { Namespace } from './namespace.ts'
import { NO_USAGE } from './provider.ts'
import type { SessionLog } from './store.ts'

/**
 * How an input came out that somebody else has answered, read from the log; the events are those a watcher needs to
 * show it. Throws `run.failed` when its run failed.
 */
export async function recordedResult(
  sessions: SessionLog,
  namespace: Namespace,
  input: number,
  emit: (event: RunEvent) => void,
): Promise<RunResult> {
  let runId: string | undefined
  let text = ''
  for (let after = input; ; ) {
    const entries = await sessions.read(namespace, { after })
    const last = entries.at(-1)
    if (!last) return withdrawn(emit)
    after = last.seq
    for (const { entry } of entries) {
      if (entry.type === 'input-withdrawn' && entry.input === input) return withdrawn(emit)
      if (entry.type === 'run-started' && entry.input === input) runId = entry.runId
      if (runId === undefined) continue
      if (entry.type === 'message' && entry.message.role === 'assistant') text = textOf(entry.message)
      if (entry.type !== 'run-ended' || entry.runId !== runId) continue

      const { reason, usage, error } = entry
      if (reason === 'error') throw failed(runId, error?.code ?? 'unknown')
      const result = { runId, reason, text, usage, ...(reason === 'denied' && error ? { denial: error.message } : {}) }
      emit({ type: 'run-start', runId })
      if (text !== '') emit({ type: 'text-delta', text })
      emit({ type: 'run-end', ...result })
      return result
    }
  }
}

function withdrawn(emit: (event: RunEvent) => void): RunResult {
  const result = { reason: 'aborted', text: '', usage: NO_USAGE } as const
  emit({ type: 'run-end', ...result })
  return result
}

function failed(runId: string, code: string): OrraError<'run.failed'> {
  const message = `The run that answered this message failed in another process, with ${code}; send the message again.`
  return new OrraError('run.failed', message, { details: { runId, code } })
}
