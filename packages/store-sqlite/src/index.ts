// Everything here is public API: a name that is added is a promise.
export { type SqliteStoreOptions, sqliteStore } from './sqlite-store.ts'
