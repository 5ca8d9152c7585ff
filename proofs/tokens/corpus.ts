import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Text {
  /** What it is, as in `prose-greek` or `code-go`. */
  readonly name: string
  readonly text: string
}

/** The texts that estimates are held against: prose in many scripts, code, JSON, a chat, a table, blobs. */
export function readCorpus(): readonly Text[] {
  const folder = join(import.meta.dirname, 'corpus')
  return readdirSync(folder)
    .sort()
    .map((file) => ({ name: file.replace('.txt', ''), text: readFileSync(join(folder, file), 'utf8') }))
}
