import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { OrraError } from '@orra/core'
import { ifThere, systemCode, unusable } from './file-error.ts'
import { readCard } from './file-locks.ts'
import { isRunning, thisProcess } from './process-identity.ts'
import { makeFile, type Writing } from './replace-file.ts'

/** What this version reads and writes. */
const SCHEMA = 1
const CARD = '.process'
const LOCK = '.lock'

/** Where everything in the folder of a store is. */
export function pathsIn(folder: string) {
  return {
    schema: join(folder, 'orra.json'),
    sessions: join(folder, 'sessions'),
    records: join(folder, 'records'),
    counters: join(folder, 'counters.jsonl'),
    pending: join(folder, 'pending'),
    locks: join(folder, 'locks'),
    passing: join(folder, 'passing'),
  }
}

/** Makes what is missing of the folders. Throws `store.newer-schema`, and `store.unusable` for a folder of something else. */
export function makeFolders(folder: string): void {
  const { schema, sessions, records, pending, locks, passing } = pathsIn(folder)
  makeFolder(folder)
  checkSchema(folder, schema)
  for (const inner of [sessions, records, pending, locks, passing]) mkdirSync(inner, { recursive: true })
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder)
  } catch (error) {
    // Asked for all that leads there at once, Node does not say why it could not.
    if (systemCode(error) === 'ENOENT') mkdirSync(folder, { recursive: true })
    else if (systemCode(error) !== 'EEXIST') throw error
  }
}

/** Names the version that wrote the folder, unless one has. */
export function markSchema(folder: string, writing: Writing): void {
  const { schema } = pathsIn(folder)
  makeFile(schema, `${JSON.stringify({ schema: SCHEMA })}\n`, writing)
  checkSchema(folder, schema)
}

/** Removes what processes that have died were about to put in place or to remove. */
export function sweep(folder: string): void {
  const { locks, passing } = pathsIn(folder)
  const self = thisProcess()
  const tokenOf = (name: string) => name.slice(0, self.token.length)
  const hasDied = (token: string) => {
    const card = readCard(join(locks, token + CARD))
    return card === undefined || isRunning(card, self) === false
  }
  for (const name of readdirSync(passing)) {
    if (hasDied(tokenOf(name))) rmSync(join(passing, name), { recursive: true, force: true })
  }
  for (const name of readdirSync(locks)) {
    // Who took over the lock of somebody else died while giving it back: its first link is gone.
    const first = name.slice(0, name.lastIndexOf('.'))
    if (first.endsWith(LOCK) && !existsSync(join(locks, first))) ifThere(() => unlinkSync(join(locks, name)))
  }
  for (const name of readdirSync(locks)) {
    // One that is still linked is the lock of a process that died; whoever wants that lock takes it over.
    const isUnused = () => ifThere(() => statSync(join(locks, name)).nlink) === 1
    if (name.endsWith(CARD) && hasDied(tokenOf(name)) && isUnused()) ifThere(() => unlinkSync(join(locks, name)))
  }
}

function checkSchema(folder: string, path: string): void {
  const text = ifThere(() => readFileSync(path, 'utf8'))
  if (text === undefined) return
  const found = schemaIn(text)
  if (found === undefined) throw unusable(folder, 'its orra.json is damaged; restore it from a backup')
  if (found > SCHEMA) throw newerSchema(folder, found)
}

function schemaIn(text: string): number | undefined {
  try {
    const { schema } = JSON.parse(text) as { readonly schema?: unknown }
    return typeof schema === 'number' ? schema : undefined
  } catch {
    return undefined
  }
}

function newerSchema(folder: string, found: number): OrraError<'store.newer-schema'> {
  const message = `The folder ${folder} was written by a newer @orra/store-file (its schema is ${found}, this one knows ${SCHEMA}); update the package.`
  return new OrraError('store.newer-schema', message, { details: { store: 'file', found, supported: SCHEMA } })
}
