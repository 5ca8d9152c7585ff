export type SqlValue = string | number | boolean | null | readonly (string | number | null)[]

/** A statement, or a piece of one, whose values travel apart from its text. */
export class Sql {
  /** What stands before, between and after the values. */
  readonly texts: readonly string[]
  readonly values: readonly SqlValue[]

  constructor(texts: readonly string[], values: readonly SqlValue[]) {
    this.texts = texts
    this.values = values
  }

  get text(): string {
    return this.texts.reduce((text, next, index) => `${text}$${index}${next}`)
  }
}

/** A statement of a template: pieces of `Sql` become part of it, all else becomes a value. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Sql | SqlValue)[]): Sql {
  const texts = [strings[0] ?? '']
  const values: SqlValue[] = []
  const write = (text: string) => {
    texts.push((texts.pop() ?? '') + text)
  }
  for (const [index, part] of parts.entries()) {
    if (part instanceof Sql) {
      const [first = '', ...others] = part.texts
      write(first)
      texts.push(...others)
      values.push(...part.values)
    } else {
      values.push(part)
      texts.push('')
    }
    write(strings[index + 1] ?? '')
  }
  return new Sql(texts, values)
}

/** Text that is part of a statement as it stands: never anything from outside. */
export function raw(text: string): Sql {
  return new Sql([text], [])
}

/** Conditions that all must hold. */
export function all(conditions: readonly Sql[]): Sql {
  return conditions.reduce((before, next) => sql`${before} AND ${next}`, raw('true'))
}
