import { OrraError } from './errors.ts'

/** Every name that a set of options has; the compiler sees to it that none is missing. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true }

/**
 * For whoever takes options, a factory of a plugin included: throws `options.invalid` when they are no object, or hold a
 * name that `taker` does not know, as a misspelt one is.
 */
export function checkOptions(taker: string, given: object, known: OptionNames<object>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalidOption('options', `${taker} takes them as one object`)
  }
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  throw invalidOption(unknown, `${taker} has no such option; it has ${Object.keys(known).join(', ')}`)
}

/** The one sentence in which an option is refused. */
export function invalidOption(option: string, problem: string): OrraError<'options.invalid'> {
  const message = `The option "${option}" cannot be used: ${problem}.`
  return new OrraError('options.invalid', message, { details: { option, problem } })
}

/** Throws `options.invalid` for what is no signal. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || signal instanceof AbortSignal) return
  throw invalidOption('signal', 'give an AbortSignal, such as the "signal" of an AbortController')
}
