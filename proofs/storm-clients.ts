import { setTimeout as pause } from 'node:timers/promises'
import type { Fleet } from './storm-fleet.ts'
import { AskError } from './storm-process.ts'
import type { Random } from './storm-random.ts'
import type { Job } from './storm-words.ts'

/** A message that a client has sent, and what it knows of it. */
export interface Sent {
  /** Its text, and its key. */
  readonly message: string
  readonly session: string
  readonly client: number
  /** What it was told, once each time it asked for the answer. */
  readonly answers: string[]
  /** An owner said that it has it. */
  accepted: boolean
}

export interface Clients {
  /** Of each client in the order in which it sent them, each after the one before was accepted. */
  readonly sent: readonly Sent[]
  /** Why a message was sent again, and how often. */
  readonly retries: ReadonlyMap<string, number>
}

export interface ClientsOptions {
  readonly clients: number
  readonly messages: number
  readonly sessions: readonly string[]
  readonly fleet: Fleet
  readonly random: Random
  /** Ends it before all is sent. */
  readonly signal: AbortSignal
}

/** How a client may go about it: what it asks for, one after the other; two at once where there are two. */
const WAYS: readonly (readonly (readonly Job[])[])[] = [
  [['run']],
  [['run']],
  [['submit'], ['run']],
  [['submit']],
  [['run', 'run']],
  [['submit', 'submit'], ['run']],
]

/** Every client sends messages to its session, again and again until an owner says that it has them. */
export async function sendAll(options: ClientsOptions): Promise<Clients> {
  const { clients, messages, sessions, fleet, random, signal } = options
  const sent: Sent[] = []
  const retries = new Map<string, number>()

  async function ask(job: Job, saying: Sent): Promise<void> {
    while (!signal.aborted) {
      try {
        const answer = await fleet.ask(job, saying.session, saying.message)
        if (answer !== undefined) saying.answers.push(answer)
        saying.accepted = true
        return
      } catch (error) {
        if (!(error instanceof AskError)) throw error
        retries.set(error.code, (retries.get(error.code) ?? 0) + 1)
        if (error.code !== 'killed') await pause(20)
      }
    }
  }

  async function client(number: number): Promise<void> {
    const session = sessions[number % sessions.length] as string
    while (sent.length < messages && !signal.aborted) {
      const saying: Sent = {
        message: `message ${sent.length + 1}`,
        session,
        client: number,
        answers: [],
        accepted: false,
      }
      sent.push(saying)
      for (const jobs of random.pick(WAYS) ?? []) await Promise.all(jobs.map((job) => ask(job, saying)))
    }
  }

  const working = Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  const { promise: aborted, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await Promise.race([working, aborted])
  return { sent, retries }
}
