import { join } from 'node:path'
import { sqliteStore } from '@orra/store-sqlite'
import { smallBot } from '../../../test/services/small-bot.ts'

export default smallBot((place) => sqliteStore(join(place, 'orra.db')))
