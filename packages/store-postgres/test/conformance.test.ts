import { describeStore } from '@orra/conformance'
import { postgresStore } from '@orra/store-postgres'
import { describePostgres, scratchSchema } from '../../../test/services/postgres.ts'

const START = 1_700_000_000_000

await describePostgres('a database', (url) => {
  describeStore('postgres', async () => {
    const scratch = scratchSchema(url)
    const { schema } = scratch
    let time = START
    const open = () => postgresStore(url, { schema, now: () => time })
    return {
      store: open(),
      reopen: async () => open(),
      advance: (ms) => {
        time += ms
      },
      dispose: () => scratch[Symbol.asyncDispose](),
      processes: { module: new URL('./open-store.ts', import.meta.url), argument: { url, schema, now: START } },
    }
  })
})
