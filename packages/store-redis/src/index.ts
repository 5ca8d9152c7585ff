// Everything here is public API: a name that is added is a promise.
export type { RedisConnection } from './redis-connection.ts'
export { type RedisStoreOptions, redisStore } from './redis-store.ts'
