import { describeCrashes } from '@orra/conformance'
import { describeRedis, scratchPrefix } from '../../../test/services/redis.ts'

await describeRedis('several processes on one server', (url) => {
  describeCrashes('a bot on it', {
    module: new URL('./crash-app.ts', import.meta.url),
    place: async () => {
      const { prefix, [Symbol.asyncDispose]: dispose } = scratchPrefix(url)
      return { place: JSON.stringify([url, prefix]), dispose }
    },
    againEvery: 0,
  })
})
