import { readFile } from 'node:fs/promises'
import { type LoggedEntry, Namespace, type Store } from '@orra/core'
import type { Sent } from './storm-clients.ts'
import { type Problem, type ReadLog, readLog } from './storm-log.ts'
import { answerTo } from './storm-model.ts'

export interface Checked {
  readonly problems: readonly Problem[]
  /** From the acceptance of a message to the end of its run. */
  readonly tookMs: readonly number[]
  /** Effects that began and of which nobody knows what came: their process died. */
  readonly unknown: number
}

/** Looks, in the logs alone, for every message that was sent, and in the file of effects for every effect. */
export async function checkStorm(store: Store, sent: readonly Sent[], effectsFile: string): Promise<Checked> {
  const effects = (await readFile(effectsFile, 'utf8')).split('\n').filter(Boolean)
  const problems: Problem[] = doubled(effects)
  const tookMs: number[] = []
  let unknown = 0
  for (const [session, messages] of Map.groupBy(sent, ({ session }) => session)) {
    const log = readLog(session, await entriesOf(store, session))
    const answered = [...log.answers.values()]
    tookMs.push(...answered.map(({ tookMs }) => tookMs))
    unknown += [...log.begun.values()].filter(Boolean).length
    problems.push(
      ...log.problems,
      ...missing(messages, log),
      ...misanswered(messages, log),
      ...disordered(messages, log),
    )
    problems.push(...uneffected(log, new Set(effects)))
  }
  return { problems, tookMs, unknown }
}

async function entriesOf({ sessions }: Store, session: string): Promise<readonly LoggedEntry[]> {
  const all: LoggedEntry[] = []
  for (;;) {
    const entries = await sessions.read(Namespace.parse(session), { after: all.length })
    if (entries.length === 0) return all
    all.push(...entries)
  }
}

function doubled(effects: readonly string[]): Problem[] {
  const seen = new Set<string>()
  return effects.flatMap((effect) => {
    const isKnown = seen.has(effect)
    seen.add(effect)
    return isKnown ? [{ wrong: 'doubled', text: `the ${effect} was had again` } as const] : []
  })
}

function missing(messages: readonly Sent[], { accepted }: ReadLog): readonly Problem[] {
  const logged = new Set(accepted)
  const wanted = new Set(messages.map(({ message }) => message))
  return [
    ...messages
      .filter(({ message, accepted }) => accepted && !logged.has(message))
      .map(({ message }) => ({ wrong: 'lost', text: `"${message}" was accepted and is in no log` }) as const),
    ...accepted
      .filter((key) => !wanted.has(key))
      .map((key) => ({ wrong: 'interleaved', text: `"${key}" is in a session that is not its own` }) as const),
  ]
}

/** What the log says, and what clients were told, is the answer to this message and to no other. */
function misanswered(messages: readonly Sent[], { answers }: ReadLog): readonly Problem[] {
  return messages.flatMap(({ message, answers: told }) => {
    const all = [answers.get(message)?.text, ...told].filter((text) => text !== undefined)
    return all
      .filter((text) => text !== answerTo(message))
      .map((text) => ({ wrong: 'interleaved', text: `"${message}" is answered with "${text}"` }) as const)
  })
}

/** What a client sent after an earlier message was accepted comes after it. */
function disordered(messages: readonly Sent[], { accepted }: ReadLog): readonly Problem[] {
  const places = new Map(accepted.map((key, place) => [key, place]))
  const placed = messages.flatMap(({ message, client }) => {
    const place = places.get(message)
    return place === undefined ? [] : [{ message, client, place }]
  })
  return [...Map.groupBy(placed, ({ client }) => client).values()].flatMap((own) =>
    own.flatMap(({ message, place }, index) => {
      const before = own[index - 1]
      if (!before || place > before.place) return []
      return [{ wrong: 'out of order', text: `"${message}" was accepted before "${before.message}"` } as const]
    }),
  )
}

function uneffected({ begun }: ReadLog, effects: ReadonlySet<string>): readonly Problem[] {
  return [...begun]
    .filter(([callId, isUnknown]) => !isUnknown && !effects.has(callId))
    .map(([callId]) => ({ wrong: 'lost', text: `the ${callId} is told of and was never had` }) as const)
}
