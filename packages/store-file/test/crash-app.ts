import { fileStore } from '@orra/store-file'
import { smallBot } from '../../../test/services/small-bot.ts'

export default smallBot((place) => fileStore(place))
