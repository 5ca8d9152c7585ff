import type { Namespace } from '../namespace.ts'

/** Whether a key is that of `within` or of a namespace below it; every key is, where there is none. */
export function inSubtree(key: string, within: Namespace | undefined): boolean {
  return within === undefined || isUnder(key, within.key)
}

/** The same of two keys. */
export function isUnder(key: string, within: string): boolean {
  return key === within || key.startsWith(`${within}:`)
}
