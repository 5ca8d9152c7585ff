// Everything here is public API: a name that is added is a promise.
export { type PostgresStore, type PostgresStoreOptions, postgresStore } from './postgres-store.ts'
