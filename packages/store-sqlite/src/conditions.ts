import { type Namespace, pagePartsOf } from '@orra/core'

/** The conditions of a statement, and the values that they name. */
export interface Conditions {
  /** To stand behind `WHERE`. */
  readonly text: string
  readonly values: { readonly [name: string]: string | number }
}

/** All of `some` that hold anything. */
export function allOf(...some: readonly (Conditions | undefined)[]): Conditions {
  const given = some.filter((one) => one !== undefined)
  return {
    text: given.map(({ text }) => `(${text})`).join(' AND ') || 'TRUE',
    values: Object.assign({}, ...given.map(({ values }) => values)),
  }
}

/** Of this namespace alone. */
export function ofNamespace(namespace: Namespace | undefined): Conditions | undefined {
  return namespace && { text: 'namespace = :namespace', values: { namespace: namespace.key } }
}

/**
 * Of a namespace and all below it: those whose key is its own, or begins with it and a colon. `;` follows `:`, so one
 * range of the index holds them all; a page that begins behind a place begins there.
 */
export function ofSubtree(column: string, within: Namespace | undefined, after?: string): Conditions | undefined {
  if (!within) return undefined
  const begin = after === undefined ? `${column} >= :within AND ` : ''
  const range = `${begin}${column} < :within || ';'`
  return { text: `${range} AND (${column} = :within OR ${column} >= :within || ':')`, values: { within: within.key } }
}

/**
 * What comes behind a place in the order of these columns; `after` is the `next` of the page before. The first `fixed`
 * columns are the same in all that is looked for. Throws `store.invalid` for what `pagePlace` did not give.
 */
export function behind(columns: readonly string[], after: string | undefined, fixed = 0): Conditions | undefined {
  if (after === undefined) return undefined
  const place = pagePartsOf(after, columns.length).slice(fixed)
  const names = place.map((_, index) => `:after${index}`)
  return {
    text: `(${columns.slice(fixed).join(', ')}) > (${names.join(', ')})`,
    values: Object.fromEntries(place.map((value, index) => [`after${index}`, value])),
  }
}
