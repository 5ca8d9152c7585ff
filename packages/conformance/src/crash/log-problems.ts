import { isDeepStrictEqual } from 'node:util'
import type { LoggedEntry, SessionHead } from '@orra/core'
import type { CrashProblem } from './crash-problem.ts'
import { type FoldedLog, foldLog } from './fold-log.ts'
import type { SessionSnapshot } from './snapshot.ts'

/**
 * What is wrong with a session at rest: runs follow one another, calls have results when their run has ended, results have
 * calls, what is decided was asked for and is decided once, no tool begins before it was approved, a run is suspended only
 * while it waits, summaries follow one another and end with a run, places have no gap, the head says what the log does, and
 * every input was taken by a run that ended or is suspended, or withdrawn. `spawning` names the calls by which sub-agents were begun.
 */
export function logProblems(
  { head, entries }: SessionSnapshot,
  spawning: ReadonlySet<string> = new Set(),
): readonly CrashProblem[] {
  const folded = foldLog(entries, spawning)
  const { wrong, waiting, openRun } = folded
  const told = (kind: CrashProblem['kind']) => (problem: string) => ({ kind, problem: `${head.namespace}: ${problem}` })
  const isTrue = head.length === entries.length && says(head, folded)
  return [
    ...gaps(entries).map(told('illegal')),
    ...wrong.map(told('illegal')),
    ...(isTrue ? [] : ['its head does not say what its log does']).map(told('illegal')),
    ...(openRun?.suspended ? [] : waiting.map((key) => `the input "${key}" waits for ever`)).map(told('stuck')),
    ...(openRun && !openRun.suspended ? [`the run ${openRun.runId} is open for ever`] : []).map(told('stuck')),
  ]
}

function gaps(entries: readonly LoggedEntry[]): readonly string[] {
  return entries.flatMap(({ seq }, index) => (seq === index + 1 ? [] : [`entry ${index + 1} has the place ${seq}`]))
}

function says({ inbox, openRun, compaction }: SessionHead, folded: FoldedLog): boolean {
  const { input: _, seq: __, ...told } = openRun ?? { input: '', seq: 0 }
  const isSameRun = openRun ? isDeepStrictEqual(told, folded.openRun) : folded.openRun === undefined
  const isSameContext = isDeepStrictEqual(compaction, folded.compaction)
  return isSameRun && isSameContext && isDeepStrictEqual(inbox.toSorted(), folded.waiting.toSorted())
}
