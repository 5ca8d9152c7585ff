import type { StoreOptions } from '@orra/core'

/** Runs one call of a store: not when its signal has aborted or the store was closed, and with errors in orra's words. */
export type Guard = <T>(signal: StoreOptions['signal'], work: () => T | Promise<T>) => Promise<T>
