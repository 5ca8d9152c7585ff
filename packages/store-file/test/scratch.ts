import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Entry, Namespace } from '@orra/core'

export const bob = Namespace.of('bob')

/** Where the log of `bob` is. */
export const logOf = (folder: string) => join(folder, 'sessions', 'bob', '@session', 'log.jsonl')

export async function scratch() {
  const folder = await mkdtemp(join(tmpdir(), 'orra-file-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

/** The kept remains of a damaged log. */
export async function keptIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.includes('.corrupt-')).map((name) => join(folder, name))
}

export function input(text: string, key: string = text): Extract<Entry, { type: 'input' }> {
  return { type: 'input', key, message: { role: 'user', content: [{ type: 'text', text }] } }
}

export function message(text: string): Entry {
  return { type: 'message', message: { role: 'assistant', content: [{ type: 'text', text }] } }
}
