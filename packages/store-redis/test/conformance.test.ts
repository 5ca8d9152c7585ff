import { describeStore } from '@orra/conformance'
import { redisStore } from '@orra/store-redis'
import { describeRedis, scratchPrefix } from '../../../test/services/redis.ts'

const START = 1_700_000_000_000

await describeRedis('a server', (url) => {
  describeStore('redis', async () => {
    const scratch = scratchPrefix(url)
    const { prefix } = scratch
    let time = START
    const open = () => redisStore(url, { prefix, now: () => time })
    return {
      store: open(),
      reopen: async () => open(),
      advance: (ms) => {
        time += ms
      },
      dispose: () => scratch[Symbol.asyncDispose](),
      processes: { module: new URL('./open-store.ts', import.meta.url), argument: { url, prefix, now: START } },
    }
  })
})
