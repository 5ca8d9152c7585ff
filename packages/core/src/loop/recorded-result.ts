import { OrraError } from '../errors.ts'
import { textOf } from '../message.ts'
import type { Namespace } from '../namespace.ts'
import { NO_USAGE } from '../provider.ts'
import type { RunEvent, RunResult } from '../run-event.ts'
import type { RunEndedEntry } from '../store/entry.ts'
import type { SessionLog } from '../store/session-log.ts'

/**
 * How an input came out that somebody else has answered, read from the log after the place where it was accepted. The
 * events are those a watcher needs to show it. Throws `run.failed` when its run failed, and `session.deleted`.
 */
export async function recordedResult(
  sessions: SessionLog,
  namespace: Namespace,
  input: string,
  seq: number,
  emit: (event: RunEvent) => void,
): Promise<RunResult> {
  const result = await readResult(sessions, namespace, input, seq)
  if (result.runId !== undefined) emit({ type: 'run-start', runId: result.runId })
  if (result.text !== '') emit({ type: 'text-delta', text: result.text })
  emit({ type: 'run-end', ...result })
  return result
}

async function readResult(sessions: SessionLog, namespace: Namespace, input: string, seq: number): Promise<RunResult> {
  let taken = false
  let text = ''
  for (let after = seq; ; ) {
    const entries = await sessions.read(namespace, { after })
    const last = entries.at(-1)
    if (!last) throw sessionDeleted(namespace)
    after = last.seq
    for (const { entry } of entries) {
      if (entry.type === 'message' && entry.input === input) taken = true
      if (entry.type === 'input-withdrawn' && entry.input === input && !taken) return withdrawn(entry.denial)
      if (!taken) continue
      if (entry.type === 'message' && entry.message.role === 'assistant') text = textOf(entry.message)
      // Whichever run took it, this is its end.
      if (entry.type === 'run-ended') return resultOf(entry, text)
    }
  }
}

function resultOf({ runId, reason, usage, denial, error }: RunEndedEntry, text: string): RunResult {
  if (reason === 'error') throw failed(runId, error?.code ?? 'unknown')
  return { runId, reason, text, usage, ...(denial === undefined ? {} : { denial }) }
}

/** Of an input whose run never began. */
export function withdrawn(denial?: string): RunResult {
  const reason = denial === undefined ? 'aborted' : 'denied'
  return { reason, text: '', usage: NO_USAGE, ...(denial === undefined ? {} : { denial }) }
}

export function sessionDeleted({ key }: Namespace): OrraError<'session.deleted'> {
  const message = 'This session was deleted while the message waited or was being answered.'
  return new OrraError('session.deleted', message, { details: { namespace: key } })
}

function failed(runId: string, code: string): OrraError<'run.failed'> {
  const message = `The run that answered this message failed, with ${code}. Its key is used up; send it again with another one.`
  return new OrraError('run.failed', message, { details: { runId, code } })
}
