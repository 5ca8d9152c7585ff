// Everything here is public API: a name that is added is a promise.
export { type FileStoreOptions, fileStore } from './file-store.ts'
export type { Recovery } from './log-file.ts'
