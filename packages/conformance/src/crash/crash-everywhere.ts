import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CrashPlace } from './crash-place.ts'
import type { CrashProblem } from './crash-problem.ts'
import { tryCrash } from './crash-trial.ts'
import { inParallel } from './in-parallel.ts'

export interface CrashOptions {
  /** The module whose default export is the `CrashApp`. */
  readonly module: URL | string
  /** Makes a new place, one for each crash. */
  readonly place: () => Promise<CrashPlace>
  /** Only this point, by its number or its name; a name is found again even where the order of things varies. @default all */
  readonly at?: number | string | undefined
  /** One of how many points is tried once more, with a second crash while the first is recovered from; 0 for none. @default 5 */
  readonly againEvery?: number
  /** Decides where the second crashes are. @default 1 */
  readonly seed?: number
  /** How many crashes are tried at the same time. @default 2 */
  readonly maxParallel?: number
  /** The runtime's lease, in milliseconds: how long a session waits for a process that died. @default 200 */
  readonly leaseTtlMs?: number
  /** How long a process may take to go on and have the whole conversation, in milliseconds. @default 10,000 */
  readonly patienceMs?: number
}

/** What came of one crash. */
export interface CrashReport {
  /** The number of the point, counting from 1; 0 for a run without a crash that goes wrong. */
  readonly point: number
  /** How many points there are. */
  readonly points: number
  /** Its name, such as `after append run-ended in user:bob #2`. */
  readonly step: string
  /** The process that went on was killed, too: at the so-manieth of its own steps. */
  readonly again?: number
  /** Whether the process came to this point: where things happen side by side, one may not come again. */
  readonly reached: boolean
  /** Empty when everything is as it should be. */
  readonly problems: readonly CrashProblem[]
}

/**
 * Has the conversation once without a crash, then once for each step of it: a process is killed there with SIGKILL and
 * started again, and what it leaves is compared. Yields what came of each crash, as it comes. A conversation that goes
 * wrong without a crash is the only report.
 */
export async function* crashEverywhere(options: CrashOptions): AsyncGenerator<CrashReport> {
  const scratch = await mkdtemp(join(tmpdir(), 'orra-crash-'))
  try {
    yield* crashesOf(options, scratch)
  } finally {
    await rm(scratch, { recursive: true })
  }
}

async function* crashesOf(options: CrashOptions, scratch: string): AsyncGenerator<CrashReport> {
  const { place, at, againEvery = 5, seed = 1, maxParallel = 2, leaseTtlMs = 200, patienceMs = 10_000 } = options
  const trial = { module: urlOf(options.module), scratch, place, leaseTtlMs, patienceMs }
  const { left: uncrashed, problems } = await tryCrash({ ...trial, deaths: [] })
  if (!uncrashed || problems.length > 0) {
    yield { point: 0, points: 0, step: 'without a crash', reached: true, problems }
    return
  }

  const { steps } = uncrashed
  const crashes = steps.flatMap((step, index) => {
    const point = index + 1
    if (at !== undefined && at !== point && at !== step) return []
    const isSample = againEvery > 0 && (point % againEvery === 0 || at !== undefined)
    const again = secondStep(seed, point, steps.length)
    return isSample
      ? [
          { point, step },
          { point, step, again },
        ]
      : [{ point, step }]
  })
  yield* inParallel(crashes, maxParallel, async (crash) => {
    const deaths = 'again' in crash ? [crash.step, crash.again] : [crash.step]
    const { died, problems } = await tryCrash({ ...trial, deaths, uncrashed })
    return { ...crash, points: steps.length, reached: died === deaths.length, problems }
  })
}

/** One of about as many steps as there are left from a point on. */
function secondStep(seed: number, point: number, steps: number): number {
  const random = createHash('sha256').update(`${seed}/${point}`).digest().readUInt32LE()
  return 1 + (random % Math.max(1, steps - point))
}

function urlOf(module: URL | string): string {
  return /^\w+:\/\//.test(`${module}`) ? `${module}` : pathToFileURL(`${module}`).href
}
