import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { StoredRecord } from '@orra/core'
import { ifThere, unusable } from './file-error.ts'
import { fileNameOf, isReadableName, textOfFileName } from './file-name.ts'

const ENDING = '.json'

/** Where the record with this id is, in the folder of a namespace's records. */
export function recordPath(folder: string, collection: string, id: string): string {
  return join(folder, fileNameOf(collection), fileNameOf(id) + ENDING)
}

export function isRecordFile(path: string): boolean {
  return path.endsWith(ENDING)
}

/** Throws `store.unusable` for a file that is no record. */
export function readRecord(path: string): StoredRecord | undefined {
  const text = ifThere(() => readFileSync(path, 'utf8'))
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as StoredRecord
  } catch (error) {
    const problem = `its record ${basename(path)} is damaged; restore that file from a backup, or remove it`
    throw unusable(dirname(path), problem, error)
  }
}

/** Sorts as lists do: NUL, which no part holds, comes before every character that one may hold. */
export function placeOf({ namespace, collection, id }: Pick<StoredRecord, 'namespace' | 'collection' | 'id'>): string {
  return [namespace, collection, id].join('\0')
}

/** The files in the folder of a namespace's records, in their order. */
export function recordFilesIn(
  folder: string,
  namespace: string,
  only: string | undefined,
): readonly { readonly place: string; readonly path: string }[] {
  const collections = only === undefined ? namesIn(folder) : [fileNameOf(only)]
  return collections
    .flatMap((name) => namesIn(join(folder, name)).map((file) => join(folder, name, file)))
    .flatMap((path) => {
      const place = placeOfFile(path, namespace)
      return place === undefined ? [] : [{ place, path }]
    })
    .sort((a, b) => (a.place < b.place ? -1 : 1))
}

/** By the names of the file and its folder; where one of them does not tell, the record itself does. */
function placeOfFile(path: string, namespace: string): string | undefined {
  if (!isRecordFile(path)) return undefined
  const idName = basename(path, ENDING)
  const collectionName = basename(dirname(path))
  if (!isReadableName(idName) || !isReadableName(collectionName)) {
    const record = readRecord(path)
    return record && placeOf(record)
  }
  const collection = textOfFileName(collectionName)
  const id = textOfFileName(idName)
  return collection === undefined || id === undefined ? undefined : placeOf({ namespace, collection, id })
}

function namesIn(folder: string): readonly string[] {
  return ifThere(() => readdirSync(folder)) ?? []
}
