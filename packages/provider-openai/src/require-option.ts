import { invalidOption } from '@orra/core'

/** Throws `options.invalid` for what is no text, or empty. */
export function requireName(option: string, given: unknown): void {
  if (typeof given !== 'string' || given === '') throw invalidOption(option, 'give its name as text')
}

/** Throws `options.invalid` for what is given and no whole number above 0. */
export function requireCount(option: string, given: unknown): void {
  if (given === undefined || (Number.isSafeInteger(given) && Number(given) > 0)) return
  throw invalidOption(option, 'give a whole number above 0')
}

/** Throws `options.invalid` for what is none of `known`. */
export function requireOneOf(option: string, given: unknown, known: { readonly [name: string]: unknown }): void {
  if (typeof given === 'string' && Object.hasOwn(known, given)) return
  throw invalidOption(option, `give one of ${Object.keys(known).join(', ')}`)
}
