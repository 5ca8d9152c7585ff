import type { CrashProblem } from './crash-problem.ts'
import type { Witnessed } from './journal.ts'

/** What must not have happened while the processes lived: a tool begun twice for a call, a request that no model takes. */
export function effectProblems(journal: readonly Witnessed[]): readonly CrashProblem[] {
  const starts = new Map<string, number>()
  for (const seen of journal) {
    if (seen.type === 'tool' && seen.once) starts.set(seen.call, (starts.get(seen.call) ?? 0) + 1)
  }
  const doubled = [...starts].filter(([, count]) => count > 1)
  const illegal = journal.filter((seen) => seen.type === 'illegal-request')
  return [
    ...doubled.map(([call, count]) => ({ kind: 'doubled', problem: `${call} was begun ${count} times` }) as const),
    ...illegal.map(({ problem }) => ({ kind: 'illegal', problem: `a request: ${problem}` }) as const),
  ]
}
