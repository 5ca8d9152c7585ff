import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Job, Order, Report, Task } from './storm-words.ts'

/** An owner as its parent sees it. */
export interface Owner {
  readonly state: 'starting' | 'ready' | 'frozen' | 'killed' | 'gone'
  /** Resolves when its state changes next. */
  changed(): Promise<void>
  /** Resolves to the answer, if there is one to come. Rejects with an `AskError`. */
  ask(job: Job, session: string, message: string): Promise<string | undefined>
  kill(): void
  /** Stops it where it stands, and lets it go on later as if nothing had been. */
  freeze(ms: number): void
  /** Resolves once it has ended by itself, to whether it has. */
  end(withinMs: number): Promise<boolean>
}

/** Why something was not done, or is not known to be done. */
export class AskError extends Error {
  readonly code: string

  constructor(code: string) {
    super(`An owner could not do what it was asked: ${code}.`)
    this.code = code
  }
}

interface Asking {
  readonly resolve: (answer: string | undefined) => void
  readonly reject: (error: AskError) => void
}

/** What is noticed of an owner that ended though nobody wanted it to. */
export const CRASHED = 'a process that ended by itself'

/** Starts an owner. `noticed` is told of what fails without having been asked for, and that it `CRASHED`. */
export function startOwner(task: Task, noticed: (code: string) => void): Owner {
  const child = fork(join(import.meta.dirname, 'storm-owner.ts'), { execArgv: ['--conditions=@orra/source'] })
  const asking = new Map<number, Asking>()
  let state: Owner['state'] = 'starting'
  let change = Promise.withResolvers<void>()
  let lastId = 0
  let wanted = false
  let thaw: NodeJS.Timeout | undefined

  function become(next: Owner['state']): void {
    state = next
    change.resolve()
    change = Promise.withResolvers()
  }

  function tell(order: Order): void {
    // What cannot be told to a process that has just died is told by its end.
    if (child.connected) child.send(order, () => {})
  }

  const hear = {
    ready: () => become('ready'),
    done: ({ id, answer }: Extract<Report, { type: 'done' }>) => asking.get(id)?.resolve(answer),
    failed: ({ id, code }: Extract<Report, { type: 'failed' }>) => asking.get(id)?.reject(new AskError(code)),
    noticed: ({ code }: Extract<Report, { type: 'noticed' }>) => noticed(code),
  }
  child.on('message', (report: Report) => {
    ;(hear[report.type] as (report: Report) => void)(report)
    if ('id' in report) asking.delete(report.id)
  })
  child.on('exit', () => {
    clearTimeout(thaw)
    if (!wanted) noticed(CRASHED)
    for (const { reject } of asking.values()) reject(new AskError('killed'))
    asking.clear()
    become('gone')
  })
  tell({ type: 'begin', task })

  const owner: Owner = {
    get state() {
      return state
    },
    changed: () => change.promise,
    ask(job, session, message) {
      const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
      if (state === 'gone') return Promise.reject(new AskError('killed'))
      const id = ++lastId
      asking.set(id, { resolve, reject })
      tell({ type: 'ask', id, job, session, message })
      return promise
    },
    kill() {
      wanted = true
      child.kill('SIGKILL')
      if (state !== 'gone') become('killed')
    },
    freeze(ms) {
      child.kill('SIGSTOP')
      become('frozen')
      thaw = setTimeout(() => {
        child.kill('SIGCONT')
        if (state === 'frozen') become('ready')
      }, ms)
    },
    async end(withinMs) {
      wanted = true
      while (owner.state === 'starting') await change.promise
      tell({ type: 'end' })
      let inTime = true
      const timer = setTimeout(() => {
        inTime = false
        child.kill('SIGKILL')
      }, withinMs)
      while (owner.state !== 'gone') await change.promise
      clearTimeout(timer)
      return inTime
    },
  }
  return owner
}
