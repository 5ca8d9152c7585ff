import type { RecordKey, StoredRecord } from '@orra/core'
import { split } from './split.ts'

/** The field of a record in the hash of its namespace. */
export function fieldOf({ collection, id }: Pick<RecordKey, 'collection' | 'id'>): string {
  return `${collection}\0${id}`
}

/** From the text of a record: version, time of making and time of change, each on a line, then the value. */
export function storedRecord(namespace: string, field: string, text: string): StoredRecord {
  const [collection = '', id = ''] = split(field, '\0')
  const [version = '', afterVersion = ''] = split(text, '\n')
  const [createdAt, afterCreated = ''] = split(afterVersion, '\n')
  const [updatedAt, value = ''] = split(afterCreated, '\n')
  return {
    ...{ collection, namespace, id },
    version: Number(version),
    value: JSON.parse(value),
    createdAt: Number(createdAt),
    updatedAt: Number(updatedAt),
  }
}
