import { OrraError } from '../errors.ts'
import { toJson } from '../json.ts'
import type { Entry, LoggedEntry } from '../store/entry.ts'
import type { SessionHead } from '../store/session-head.ts'
import { disorderOf, isEntry } from './check-log.ts'

/** Of the lines below; a newer one is refused. */
const VERSION = 1

/** The lines of a session: what it is, its log, an entry a line, and how many there were. */
export async function* sessionLines(head: SessionHead, entries: AsyncIterable<LoggedEntry>): AsyncGenerator<string> {
  const { namespace, id, createdAt } = head
  yield lineOf({ type: 'session', version: VERSION, namespace, id, createdAt })
  let count = 0
  for await (const logged of entries) {
    count += 1
    yield lineOf({ type: 'entry', ...logged })
  }
  yield lineOf({ type: 'end', entries: count })
}

/** One line of an export. */
export function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`
}

/** Reads what `sessionLines` wrote, in whatever pieces it comes. Throws `import.invalid`. */
export async function readSessionLines(pieces: AsyncIterable<string> | Iterable<string>): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  const numbers: number[] = []
  let line = 0
  let hasHeader = false
  let isWhole = false
  for await (const text of linesOf(pieces)) {
    line += 1
    if (text.trim() === '') continue
    const value = parse(text, line)
    if (!hasHeader) {
      checkHeader(value, line)
      hasHeader = true
    } else if (isWhole) {
      throw invalid(line, 'the session has ended before it; import one session at a time')
    } else if (value['type'] === 'end') {
      if (value['entries'] !== entries.length) throw invalid(line, 'there are not as many entries as were exported')
      isWhole = true
    } else {
      if (value['type'] !== 'entry' || !isEntry(value['entry'])) throw invalid(line, 'it is not an entry of a session')
      entries.push(value['entry'])
      numbers.push(line)
    }
  }
  if (!hasHeader) throw invalid(1, 'there is nothing')
  const disorder = disorderOf(entries)
  if (disorder) throw invalid(numbers[disorder.index] as number, disorder.problem)
  if (!isWhole) throw invalid(line, 'the end is missing')
  return entries
}

async function* linesOf(pieces: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() as string
    yield* lines
  }
  if (rest !== '') yield rest
}

function parse(text: string, line: number): { readonly [name: string]: unknown } {
  try {
    // Nothing that is nested too deeply, or holds half a character, gets into a log.
    const value: unknown = toJson(JSON.parse(text))
    if (typeof value === 'object' && value !== null) return value as { readonly [name: string]: unknown }
  } catch {
    // What was thrown would quote what people said.
  }
  throw invalid(line, 'it is not a JSON object')
}

function checkHeader({ type, version }: { readonly [name: string]: unknown }, line: number): void {
  if (type !== 'session') throw invalid(line, 'it must be the first line of an exported session')
  if (version !== VERSION)
    throw invalid(line, `it has version ${Number(version)}, and this package reads ${VERSION}; update it`)
}

function invalid(line: number, problem: string): OrraError<'import.invalid'> {
  const message = `This cannot be imported: line ${line}, ${problem}. Nothing was written.`
  return new OrraError('import.invalid', message, { details: { line, problem } })
}
