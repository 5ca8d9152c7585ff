import { type Message, type Namespace, type Runtime, type Store, textOf } from '@orra/core'

// A conversation that outgrows a tiny window: whoever says "note" is told all that was noted, so that every answer shows
// whether something of it was lost or is there twice.

/** Writes the summaries, and nothing else. */
export const SUMMARY_MODEL = 'planned-summary'

/** In this window two notes fit beside the instructions and the tools, and a third only once the first is summed up. */
export const NOTES_WINDOW = { windowTokens: 2000, outputReserveTokens: 500 } as const

const WORD = 'remember the word swordfish'
const NAMES = ['a', 'b', 'c', 'd'] as const

/**
 * Says a word that is pinned, and notes that are summed up, by themselves and when that is asked for. All notes are accepted
 * while the first is answered, so that a summary stands for what came after they were.
 */
export async function talkOfNotes(orra: Runtime, namespace: Namespace): Promise<void> {
  const session = orra.session(namespace)
  await orra.run(namespace, WORD, { key: 'word' })
  const word = await placeOf(orra, namespace, 'word')
  await session.pin(word)
  for (const name of ['a', 'b', 'c']) await orra.submit(namespace, ...note(name))
  await orra.run(namespace, 'note d: no more.', { key: 'd' })
  await session.pin(word + 1)
  await session.unpin(word + 1)
  // The first waits for what is being summed up, and nothing is cut off at the end; the second sums up what is left.
  await orra.compact(namespace)
  await orra.compact(namespace)
}

function note(name: string) {
  return [`note ${name}: ${'It is to be kept word for word. '.repeat(43)}`, { key: name }] as const
}

/** Where the message of this key stands. */
async function placeOf(orra: Runtime, namespace: Namespace, key: string): Promise<number> {
  for await (const { seq, entry } of orra.session(namespace).entries()) {
    if (entry.type === 'message' && entry.input === key) return seq
  }
  throw new Error(`The message "${key}" is answered and is not there.`)
}

/** What is said to a word or a note; `undefined` to all else. */
export function answerToNote(messages: readonly Message[]): string | undefined {
  const heard = messages.flatMap((message) => (message.role === 'user' ? textOf(message) : []))
  const last = heard.at(-1) ?? ''
  if (!last.startsWith('note') && last !== WORD) return undefined
  return answer(notesIn(heard.join('\n')), heard.filter((text) => text === WORD).length)
}

/** Whether an answer takes a while: to a first note, so that the others are accepted meanwhile. */
export function isFirstNote(messages: readonly Message[]): boolean {
  return textOf(messages.at(-1) ?? []).startsWith('note a:')
}

/** The names of all notes that were to be summed up, after those of the summary before. */
export function summaryOfNotes(messages: readonly Message[]): string {
  return summaryOf(notesIn(messages.map((message) => textOf(message)).join('\n')))
}

function summaryOf(notes: readonly string[]): string {
  return ['Until here:', ...notes.map((name) => `note ${name}:`)].join(' ')
}

function answer(notes: readonly string[], times: number): string {
  return `Noted ${notes.join(', ') || 'nothing'}; the word was said ${times} times.`
}

function notesIn(text: string): readonly string[] {
  return Array.from(text.matchAll(/note (\w+):/g), ([, name = '']) => name)
}

/** Throws unless every summary and the last answer hold, once, all that was said until there. */
export async function checkNotes({ sessions }: Store, namespace: Namespace): Promise<void> {
  const log = await sessions.read(namespace)
  const heardUntil = (place: number) =>
    log.flatMap(({ seq, entry }) =>
      seq <= place && entry.type === 'message' && entry.message.role === 'user' ? textOf(entry.message) : [],
    )
  const answers = log.flatMap(({ entry }) => (entry.type === 'message' ? textOf(entry.message) : []))
  const summaries = log.flatMap(({ entry }) => (entry.type === 'compaction' ? entry : []))
  demand(answers.at(-1) === answer(NAMES, 1), `they come to another end: ${answers.at(-1)}`)
  demand(summaries.length > 1, `they are summed up ${summaries.length} times`)
  for (const { through, summary } of summaries) {
    demand(
      summary === summaryOf(notesIn(heardUntil(through).join('\n'))),
      `they are not those of a summary: ${summary}`,
    )
  }
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`The notes: ${otherwise}.`)
}
