import { isOrraError } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import { expect, it } from 'vitest'

it.each(['x', '', '{}', '[]', '[1]', '["a","b"]', 'null'])(
  'refuses an "after" that it did not give: %j',
  async (after) => {
    await using store = sqliteStore(':memory:')
    const lists = [store.sessions.list, store.records.list, store.counters.list]
    for (const list of lists) {
      await expect(list({ after })).rejects.toSatisfy((error) => isOrraError(error, 'store.invalid'))
    }
  },
)
