import type { Entry, LoggedEntry } from '@orra/core'
import type { CrashProblem } from './crash-problem.ts'
import type { SessionSnapshot } from './snapshot.ts'

/**
 * What is wrong with a session at rest: runs follow one another, calls have results when their run has ended, results have
 * calls, places have no gap, and every input was taken by a run that ended, or withdrawn.
 */
export function logProblems({ head, entries }: SessionSnapshot): readonly CrashProblem[] {
  const { wrong, waiting, openRun } = foldOf(entries.map(({ entry }) => entry))
  const told = (kind: CrashProblem['kind']) => (problem: string) => ({ kind, problem: `${head.namespace}: ${problem}` })
  const isTrue = head.length === entries.length && head.openRun?.runId === openRun
  const isInboxTrue = [...head.inbox].sort().join() === [...waiting].sort().join()
  return [
    ...gaps(entries).map(told('illegal')),
    ...wrong.map(told('illegal')),
    ...(isTrue && isInboxTrue ? [] : ['its head does not say what its log does']).map(told('illegal')),
    ...waiting.map((key) => `the input "${key}" waits for ever`).map(told('stuck')),
    ...(openRun === undefined ? [] : [`the run ${openRun} is open for ever`]).map(told('stuck')),
  ]
}

function gaps(entries: readonly LoggedEntry[]): readonly string[] {
  return entries.flatMap(({ seq }, index) => (seq === index + 1 ? [] : [`entry ${index + 1} has the place ${seq}`]))
}

/** Everything that could not come where it comes, and what is open at the end. */
function foldOf(entries: readonly Entry[]) {
  const wrong: string[] = []
  const accepted = new Set<string>()
  const waiting = new Set<string>()
  const calls = new Set<string>()
  let run: { readonly runId: string; readonly input: string } | undefined

  const fold = (entry: Entry): string | false | undefined => {
    switch (entry.type) {
      case 'input':
        if (accepted.has(entry.key)) return `the input "${entry.key}" is there twice`
        accepted.add(entry.key)
        waiting.add(entry.key)
        return
      case 'input-withdrawn':
        waiting.delete(entry.input)
        return
      case 'run-started': {
        const before = run
        run = entry
        return before && 'a run begins within a run'
      }
      case 'run-ended': {
        const before = run
        run = undefined
        if (before?.runId !== entry.runId) return 'a run ends that is not open'
        if (waiting.has(before.input)) return `the run of "${before.input}" ends and has not taken it`
        return calls.size > 0 && 'a run ends before the results of its calls'
      }
      case 'tool-started':
        return !calls.has(entry.callId) && 'a tool begins without an open call'
      case 'message':
        return foldMessage(entry)
      case 'metadata':
        return
    }
  }

  const foldMessage = ({ message, input }: Extract<Entry, { type: 'message' }>): string | false => {
    if (!run) return 'a message stands outside of a run'
    if (input !== undefined && !waiting.delete(input)) return `the input "${input}" is taken and does not wait`
    if (message.role === 'tool') {
      return message.content.some(({ callId }) => !calls.delete(callId)) && 'a result has no open call'
    }
    const isEarly = calls.size > 0
    for (const part of message.content) if (part.type === 'tool-call') calls.add(part.callId)
    return isEarly && 'a message comes before the results of calls'
  }

  for (const [index, entry] of entries.entries()) {
    const problem = fold(entry)
    if (problem) wrong.push(`at entry ${index + 1}, ${problem}`)
  }
  return { wrong, waiting: [...waiting], openRun: run?.runId }
}
