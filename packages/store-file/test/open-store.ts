// How a process of its own opens the store of a test.
import { fileStore } from '@orra/store-file'

export default (folder: string) => fileStore(folder)
