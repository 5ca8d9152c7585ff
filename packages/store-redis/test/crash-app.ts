import { redisStore } from '@orra/store-redis'
import { smallBot } from '../../../test/services/small-bot.ts'

/** The place is a URL and a prefix. */
export default smallBot((place) => {
  const [url = '', prefix = ''] = JSON.parse(place) as readonly string[]
  return redisStore(url, { prefix })
})
