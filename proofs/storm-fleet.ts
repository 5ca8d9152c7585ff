import { AskError, CRASHED, type Owner, startOwner } from './storm-process.ts'
import type { Random } from './storm-random.ts'
import type { Job, Task } from './storm-words.ts'

/** So many owners at any time: whenever one dies, another takes its place. */
export interface Fleet extends AsyncDisposable {
  readonly kills: number
  readonly freezes: number
  /** What failed without having been asked for, and how often. */
  readonly noticed: ReadonlyMap<string, number>
  /** Aborts when an owner ends by itself; it is not replaced, and neither are the others from then on. */
  readonly crashed: AbortSignal
  /** Asks some owner that serves, though it may stand still. Rejects with an `AskError`. */
  ask(job: Job, session: string, message: string): Promise<string | undefined>
  /** Kills one that serves, while most are ready. */
  kill(): void
  /** Lets one stand still for a while, while most are ready. */
  freeze(ms: number): void
  /** Ends all owners gently. Resolves to how many did not heed it. */
  end(): Promise<number>
}

/** How long an owner may take to end. */
const END_MS = 10_000

export function openFleet(size: number, task: Task, random: Random): Fleet {
  const owners: Owner[] = []
  const noticed = new Map<string, number>()
  let kills = 0
  let freezes = 0
  let ending = false
  const crashed = new AbortController()

  function notice(what: string): void {
    noticed.set(what, (noticed.get(what) ?? 0) + 1)
    if (what === CRASHED) crashed.abort()
  }

  async function keepPlace(place: number): Promise<void> {
    while (!ending && !crashed.signal.aborted) {
      const owner = startOwner(task, notice)
      owners[place] = owner
      while (owner.state !== 'gone') await owner.changed()
    }
  }
  const places = Array.from({ length: size }, (_, place) => keepPlace(place))

  const inState = (...states: readonly Owner['state'][]) => owners.filter(({ state }) => states.includes(state))
  /** So that a slow machine, on which owners take long to start, has a storm and no standstill. */
  const mostAreReady = () => inState('ready').length > size / 2
  const killAll = () => {
    ending = true
    for (const owner of owners) owner.kill()
  }
  // Nothing is left behind, however this process ends.
  process.on('exit', killAll)

  return {
    get kills() {
      return kills
    },
    get freezes() {
      return freezes
    },
    noticed,
    crashed: crashed.signal,
    async ask(job, session, message) {
      for (;;) {
        if (ending || crashed.signal.aborted) throw new AskError('ended')
        const owner = random.pick(inState('ready', 'frozen'))
        if (owner) return owner.ask(job, session, message)
        await Promise.race(owners.map((starting) => starting.changed()))
      }
    },
    kill() {
      const owner = random.pick(inState('ready', 'frozen'))
      if (!owner || !mostAreReady()) return
      kills += 1
      owner.kill()
    },
    freeze(ms) {
      const owner = random.pick(inState('ready'))
      if (!owner || !mostAreReady()) return
      freezes += 1
      owner.freeze(ms)
    },
    async end() {
      ending = true
      const ended = await Promise.all(owners.map((owner) => owner.end(END_MS)))
      return ended.filter((inTime) => !inTime).length
    },
    async [Symbol.asyncDispose]() {
      killAll()
      await Promise.all(places)
      process.off('exit', killAll)
    },
  }
}
