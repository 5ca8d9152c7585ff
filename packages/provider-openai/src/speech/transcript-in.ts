import { toLanguageCode } from './language-code.ts'

export interface Transcript {
  readonly text: string
  /** What is spoken: a code such as `en`, or the model's own name of a language that has no known one. */
  readonly language?: string
  /** Of the audio. */
  readonly durationMs?: number
  /** In their order; models that give no times have none. */
  readonly words?: readonly SpokenWord[]
}

/** Its times count from the beginning of the audio. */
export interface SpokenWord {
  readonly text: string
  readonly startMs: number
  /** Never before `startMs`. */
  readonly endMs: number
}

/** What the API may say, in seconds; of it only the text is sure to be there. */
interface Reply {
  readonly text?: unknown
  readonly language?: unknown
  readonly languages?: readonly ({ readonly code?: unknown } | null)[]
  readonly duration?: unknown
  readonly usage?: { readonly seconds?: unknown } | null
  readonly words?: unknown
}

/** The transcript of a reply, or what is wrong with it. */
export function transcriptIn(reply: unknown): Transcript | string {
  const { text, language, languages, duration, usage, words } = (reply ?? {}) as Reply
  if (typeof text !== 'string') return 'it holds no text'
  const spoken = wordsIn(words)
  if (spoken === null) return 'its words have no times'
  const name = language ?? (Array.isArray(languages) ? languages[0]?.code : undefined)
  const durationMs = toMs(duration) ?? toMs(usage?.seconds)
  return {
    text,
    ...(typeof name === 'string' && name !== '' ? { language: toLanguageCode(name) } : {}),
    ...(durationMs === undefined ? {} : { durationMs }),
    // A list without words says of a text that has some only that they were not timed.
    ...(spoken && (spoken.length > 0 || text.trim() === '') ? { words: spoken } : {}),
  }
}

function wordsIn(given: unknown): readonly SpokenWord[] | null | undefined {
  if (given === undefined || given === null) return undefined
  if (!Array.isArray(given)) return null
  const words = given.map(toWord)
  return words.every((word) => word !== undefined) ? words : null
}

function toWord(given: { readonly word?: unknown; readonly start?: unknown; readonly end?: unknown } | null) {
  const startMs = toMs(given?.start)
  const endMs = toMs(given?.end)
  if (typeof given?.word !== 'string' || startMs === undefined || endMs === undefined) return undefined
  return { text: given.word, startMs, endMs: Math.max(startMs, endMs) }
}

/** Of seconds, which some servers write as text. */
function toMs(seconds: unknown): number | undefined {
  if (typeof seconds !== 'number' && (typeof seconds !== 'string' || seconds.trim() === '')) return undefined
  const ms = Math.round(Number(seconds) * 1000)
  return ms >= 0 && Number.isSafeInteger(ms) ? ms : undefined
}
