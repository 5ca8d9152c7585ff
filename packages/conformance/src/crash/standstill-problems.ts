import type { CrashProblem } from './crash-problem.ts'
import type { SessionSnapshot } from './snapshot.ts'
import { callerOf } from './sub-agents.ts'

/** Suspended runs that nothing will ever wake: everything was decided, or whoever wanted them has left. */
export function standstillProblems(sessions: readonly SessionSnapshot[]): readonly CrashProblem[] {
  return sessions.flatMap((session) => {
    const { namespace, openRun } = session.head
    if (!openRun?.suspended) return []
    const stuck = (problem: string): CrashProblem => ({ kind: 'stuck', problem: `${namespace}: ${problem}` })
    return [
      ...(waits(session, sessions) ? [] : [stuck(`the run ${openRun.runId} is suspended and waits for nobody`)]),
      ...(isWanted(session, sessions)
        ? []
        : [stuck(`the run ${openRun.runId} is suspended, and its caller’s has ended`)]),
    ]
  })
}

/** Whether somebody is still to decide, here or in a sub-agent. */
function waits({ head }: SessionSnapshot, sessions: readonly SessionSnapshot[]): boolean {
  const { namespace, openRun } = head
  if (!openRun) return false
  if (openRun.approvals && openRun.approvals.length > 0) return true
  return sessions.some((other) => {
    const lineage = callerOf(other)
    return lineage?.namespace === namespace && lineage.runId === openRun.runId && waits(other, sessions)
  })
}

function isWanted(session: SessionSnapshot, sessions: readonly SessionSnapshot[]): boolean {
  const lineage = callerOf(session)
  if (!lineage) return true
  const caller = sessions.find(({ head }) => head.namespace === lineage.namespace)
  return caller?.head.openRun?.runId === lineage.runId
}
