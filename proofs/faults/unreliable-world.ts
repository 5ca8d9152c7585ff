import { createRuntime, isOrraError, Namespace, type Runtime, type Store } from '@orra/core'
import { readLog } from '../storm-log.ts'
import { answeringModel, answeringTools, answerTo, illegalities } from '../storm-model.ts'
import { type Fault, type FaultyStore, faulty } from './faulty.ts'
import { passTime, passTimeFor } from './virtual-time.ts'

export const LEASE_TTL_MS = 1000

/** What happens, so long after what happened before. */
export type Happening = { readonly afterMs: number } & (Saying | Freezing)

/** Somebody says something: a new message, or one that was said before. */
export interface Saying {
  readonly type: 'submit' | 'run'
  /** Which message, of the session that this decides, too. */
  readonly message: number
  /** Which of two processes is asked. */
  readonly process: number
}

/** A process does not get through to the store for a while; what it asks for is done afterwards. */
export interface Freezing {
  readonly type: 'freeze'
  readonly process: number
  readonly ms: number
}

interface Process {
  readonly runtime: Runtime
  readonly store: FaultyStore
  frozenUntil: number
}

/** Two processes on one store that fails, and what must not happen there. */
export class UnreliableWorld {
  readonly wrong: string[] = []
  private readonly effects: string[] = []
  private readonly accepted = new Set<string>()
  private readonly store: Store
  private readonly processes: readonly Process[]
  private readonly faults: Iterator<Fault | undefined>
  private calm = false

  constructor(store: Store, faults: readonly (Fault | undefined)[]) {
    this.store = store
    this.faults = faults.values()
    this.processes = [this.open(), this.open()]
  }

  /** Lets everything happen while the faults come; then they stop, and all must come right. */
  async play(happenings: readonly Happening[]): Promise<void> {
    const stop = new AbortController()
    const { signal } = stop
    const recovering = this.processes.map(({ runtime }) => runtime.recover({ signal, pollMs: 200 }))
    const said: Promise<void>[] = []
    for (const happening of happenings) {
      await passTime(happening.afterMs)
      if (happening.type === 'freeze') this.process(happening).frozenUntil = Date.now() + happening.ms
      else said.push(this.say(happening))
    }
    await passTimeFor(Promise.all(said))
    await passTime(3 * LEASE_TTL_MS)
    this.calm = true
    stop.abort()
    await passTimeFor(Promise.all([...recovering, ...this.processes.map(({ store }) => store.settled())]))
    // A lease that was taken by a call whose answer was lost is nobody's, until it runs out.
    await passTime(LEASE_TTL_MS)
    for (const { runtime } of this.processes) await passTimeFor(runtime.recover({ untilIdle: true }))
    await this.checkLogs()
    for (const happening of happenings) if (happening.type !== 'freeze') await this.askAgain(happening.message)
    await this.checkLogs()
    if (new Set(this.effects).size < this.effects.length) this.wrong.push('an effect twice')
    await Promise.all(this.processes.map(({ runtime }) => runtime.close()))
  }

  private process({ process }: Saying | Freezing): Process {
    return this.processes[process] as Process
  }

  private open(): Process {
    const store = faulty(this.store, () => {
      if (this.calm) return undefined
      const ms = process.frozenUntil - Date.now()
      return ms > 0 ? { type: 'slow', ms } : this.faults.next().value
    })
    const model = answeringModel()
    const provider: typeof model = {
      ...model,
      stream: (request) => {
        this.wrong.push(...illegalities(request.messages))
        return model.stream(request)
      },
    }
    const tools = answeringTools(async ({ callId }) => {
      this.effects.push(callId)
      await new Promise((resolve) => setTimeout(resolve, 50))
    })
    const runtime = createRuntime({ store, provider, tools, leaseTtlMs: LEASE_TTL_MS })
    const process: Process = { store, runtime, frozenUntil: 0 }
    return process
  }

  private async say(saying: Saying): Promise<void> {
    const { type, message } = saying
    const { runtime } = this.process(saying)
    const key = keyOf(message)
    try {
      if (type === 'submit') await runtime.submit(sessionOf(message), key, { key })
      else this.checkAnswer(message, (await runtime.run(sessionOf(message), key, { key })).text)
      this.accepted.add(key)
    } catch (error) {
      if (!isOrraError(error, 'store.unusable')) this.wrong.push(`threw ${error}`)
    }
  }

  /** However it came out before: with its key a message has one answer. */
  private async askAgain(message: number): Promise<void> {
    const key = keyOf(message)
    for (const { runtime } of this.processes) {
      const { text } = await passTimeFor(runtime.run(sessionOf(message), key, { key }))
      this.checkAnswer(message, text)
    }
    this.accepted.add(key)
  }

  private checkAnswer(message: number, text: string): void {
    if (text !== answerTo(keyOf(message))) this.wrong.push(`the answer to ${keyOf(message)} is "${text}"`)
  }

  private async checkLogs(): Promise<void> {
    const logged = new Set<string>()
    for (const session of SESSIONS) {
      const log = readLog(session.key, await this.store.sessions.read(session, { limit: 100_000 }))
      this.wrong.push(...log.problems.map(({ wrong, text }) => `${wrong}: ${text}`))
      for (const key of log.accepted) logged.add(key)
      for (const [call, isUnknown] of log.begun) {
        if (!isUnknown && !this.effects.includes(call)) this.wrong.push(`${call} has a result and no effect`)
      }
    }
    for (const key of this.accepted) if (!logged.has(key)) this.wrong.push(`lost: ${key}`)
  }
}

const SESSIONS = [Namespace.of('a'), Namespace.of('b')] as const

function sessionOf(message: number): Namespace {
  return SESSIONS[message % 2] as Namespace
}

function keyOf(message: number): string {
  return `message ${message}`
}
