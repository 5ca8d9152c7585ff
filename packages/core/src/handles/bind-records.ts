import { OrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import { checkOptions } from '../options.ts'
import { checkRecordKey } from '../store/checks.ts'
import type { RecordKey, Records } from '../store/records.ts'
import type { BoundRecords } from './bound-records.ts'

/** What orra keeps for itself. */
const RESERVED = 'orra.'

/** The records of `namespace`, until `signal` aborts. The namespace is in no argument of what is returned. */
export function bindRecords(records: Records, namespace: Namespace, signal: AbortSignal): BoundRecords {
  return {
    async get(collection, id) {
      return records.get(keyIn(namespace, collection, id), { signal })
    },

    async put(collection, id, value, options = {}) {
      checkOptions('records.put', options, { version: true })
      const { version } = options
      return records.put(keyIn(namespace, collection, id), value, { version: checkedVersion(version), signal })
    },

    async delete(collection, id, options = {}) {
      checkOptions('records.delete', options, { version: true })
      const { version } = options
      return records.delete(keyIn(namespace, collection, id), { version: checkedVersion(version), signal })
    },

    async list(collection, options = {}) {
      checkOptions('records.list', options, { after: true, limit: true })
      const { after, limit = 100 } = options
      const scope = { collection: checkedCollection(collection), namespace }
      if (after !== undefined && typeof after !== 'string') throw invalid('"after" is the "next" of a page')
      return records.list({ ...scope, ...(after === undefined ? {} : { after }), limit: checkedLimit(limit), signal })
    },
  }
}

/** Throws `store.invalid` for a number of items that is not a whole one above 0. */
export function checkedLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit > 0) return limit
  throw invalid('"limit" is a whole number above 0')
}

function keyIn(namespace: Namespace, collection: string, id: string): RecordKey {
  const key = { collection: checkedCollection(collection), namespace, id }
  checkRecordKey(key)
  return key
}

function checkedCollection(collection: string): string {
  if (typeof collection !== 'string' || collection === '') throw invalid('the name of a collection is text')
  if (collection.startsWith(RESERVED)) throw invalid(`collections whose names begin with "${RESERVED}" are orra's own`)
  return collection
}

function checkedVersion(version: number | undefined): number | undefined {
  if (version === undefined || (Number.isSafeInteger(version) && version >= 0)) return version
  throw invalid('"version" is that of a record, or 0')
}

/** The one sentence in which an argument of a handle is refused. */
export function invalid(problem: string): OrraError<'store.invalid'> {
  return new OrraError('store.invalid', `The store does not take this: ${problem}.`, { details: { problem } })
}
