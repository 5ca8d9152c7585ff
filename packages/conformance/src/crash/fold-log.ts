import type { Entry, LoggedEntry, SessionHead } from '@orra/core'
import { contextFold } from './fold-context.ts'
import { foldCallEntry, type OpenCall, type OpenRun, type WaitingRun, waitingRun, wake } from './fold-open-run.ts'

/** What a log adds up to, and what in it could not come where it comes. */
export interface FoldedLog {
  readonly wrong: readonly string[]
  /** The keys of inputs that wait. */
  readonly waiting: readonly string[]
  readonly openRun: WaitingRun | undefined
  readonly compaction: SessionHead['compaction']
}

/** What a run writes while it works. */
const GOES_ON: ReadonlySet<Entry['type']> = new Set(['message', 'tool-started', 'approval-requested'])

/** `spawning`: the calls by which sub-agents were begun, as `callName` names them. */
export function foldLog(entries: readonly LoggedEntry[], spawning: ReadonlySet<string>): FoldedLog {
  const wrong: string[] = []
  const accepted = new Set<string>()
  const waiting = new Set<string>()
  const calls = new Map<string, OpenCall>()
  const context = contextFold()
  let run: OpenRun | undefined

  const fold = (entry: Entry, seq: number): string | false | undefined => {
    // A run that goes on is not suspended, whatever has made it.
    if (run && GOES_ON.has(entry.type)) run.suspended = false
    switch (entry.type) {
      case 'input':
        if (accepted.has(entry.key)) return `the input "${entry.key}" is there twice`
        accepted.add(entry.key)
        waiting.add(entry.key)
        return
      case 'input-withdrawn':
        waiting.delete(entry.input)
        if (entry.input === run?.input) wake(run, seq)
        return
      case 'run-started': {
        const before = run
        run = { runId: entry.runId, input: entry.input, wokenAt: 0, suspended: false }
        return before && 'a run begins within a run'
      }
      case 'run-ended': {
        const before = run
        run = undefined
        if (before?.runId !== entry.runId) return 'a run ends that is not open'
        if (waiting.has(before.input)) return `the run of "${before.input}" ends and has not taken it`
        if (calls.size > 0) return 'a run ends before the results of its calls'
        return entry.reason === 'limit' && !entry.denial && 'a run is ended by a limit and does not say which'
      }
      case 'message':
        return foldMessage(entry)
      case 'compaction':
      case 'message-pinned':
      case 'message-unpinned':
      case 'metadata':
        return
      default:
        return foldCallEntry(entry, seq, run, calls, spawning)
    }
  }

  const foldMessage = ({ message, input }: Extract<Entry, { type: 'message' }>): string | false => {
    if (!run) return 'a message stands outside of a run'
    if (input !== undefined && !waiting.delete(input)) return `the input "${input}" is taken and does not wait`
    if (message.role === 'tool') {
      return message.content.some(({ callId }) => !calls.delete(callId)) && 'a result has no open call'
    }
    const isEarly = calls.size > 0
    for (const part of message.content) if (part.type === 'tool-call') calls.set(part.callId, {})
    return isEarly && 'a message comes before the results of calls'
  }

  for (const [index, logged] of entries.entries()) {
    for (const problem of [fold(logged.entry, logged.seq), context.fold(logged)]) {
      if (problem) wrong.push(`at entry ${index + 1}, ${problem}`)
    }
  }
  const { compaction } = context
  return { wrong, waiting: [...waiting], openRun: run && waitingRun(run, calls.values()), compaction }
}
