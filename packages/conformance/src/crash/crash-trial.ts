import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { differences } from './compare-sessions.ts'
import type { CrashPlace } from './crash-place.ts'
import type { CrashProblem } from './crash-problem.ts'
import { effectProblems } from './effect-problems.ts'
import { readJournal } from './journal.ts'
import { type Left, live } from './life.ts'
import { logProblems } from './log-problems.ts'
import { lostSince } from './lost-since.ts'
import { standstillProblems } from './standstill-problems.ts'
import type { Death } from './steps.ts'
import { spawningCalls } from './sub-agents.ts'

export interface CrashTrial {
  readonly module: string
  /** A folder for what outlives the processes. */
  readonly scratch: string
  readonly place: () => Promise<CrashPlace>
  readonly leaseTtlMs: number
  readonly patienceMs: number
  /** Where one process after the other is killed; after the last of them, one lives. */
  readonly deaths: readonly Death[]
  /** What is left without a crash; absent when that is what is to be found out. */
  readonly uncrashed?: Left
}

export interface TrialOutcome {
  /** How many were killed. */
  readonly died: number
  readonly problems: readonly CrashProblem[]
  readonly left?: Left
}

/** Lets processes live one after the other at a new place, each to its death, and looks at what the last one leaves. */
export async function tryCrash({ deaths, uncrashed, place: newPlace, ...options }: CrashTrial): Promise<TrialOutcome> {
  const { place, dispose } = await newPlace()
  const journal = join(options.scratch, randomUUID())
  const problems: CrashProblem[] = []
  let died = 0
  let left: Left | undefined
  try {
    for (const death of [...deaths, undefined]) {
      const before = readJournal(journal)
      const life = await live({ ...options, place, journal, death })
      if (life.died) died += 1
      if (life.found) problems.push(...lostSince(before, life.found))
      if (life.failure !== undefined) problems.push({ kind: 'failed', problem: life.failure })
      left = life.left
    }
    const witnessed = readJournal(journal)
    problems.push(...effectProblems(witnessed))
    if (!left) return { died, problems }
    problems.push(...lostSince(witnessed, left.snapshot), ...leftProblems(left, uncrashed))
    return { died, problems, left }
  } finally {
    await dispose()
  }
}

const UNLIKE = 'what is sent next depends on whether all of the log is read or only what comes after its last summary'

function leftProblems(
  { isDone, snapshot, unlike, repeatable }: Left,
  uncrashed: Left | undefined,
): readonly CrashProblem[] {
  const { sessions, pending } = snapshot
  const spawning = spawningCalls(sessions)
  const problems: CrashProblem[] = [
    ...sessions.flatMap((session) => logProblems(session, spawning)),
    ...standstillProblems(sessions),
    ...pending.map((key) => ({ kind: 'stuck', problem: `${key}: the store lists it as pending` }) as const),
    ...unlike.map((key) => ({ kind: 'different', problem: `${key}: ${UNLIKE}` }) as const),
  ]
  if (!isDone) return [{ kind: 'stuck', problem: 'the process did not come to its end in time' }, ...problems]
  return uncrashed ? [...problems, ...differences(snapshot, uncrashed.snapshot, repeatable)] : problems
}
