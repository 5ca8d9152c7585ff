import { postgresStore } from '@orra/store-postgres'
import { smallBot } from '../../../test/services/small-bot.ts'

/** The place is a URL and a schema. */
export default smallBot((place) => {
  const [url = '', schema = ''] = JSON.parse(place) as readonly string[]
  return postgresStore(url, { schema })
})
