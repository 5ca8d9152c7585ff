import { Client } from 'pg'

/** A connection beside the store's, for a test to look at the database or to disturb it. */
export async function administrator(connectionString: string) {
  const client = new Client({ connectionString })
  await client.connect()
  /** The first column of every row. */
  const column = async (text: string, values: readonly unknown[] = []): Promise<readonly unknown[]> => {
    const { rows } = await client.query({ text, values: [...values], rowMode: 'array' })
    return rows.map(([first]) => first)
  }
  return {
    column,
    /** Asks until there is a row. */
    async until(text: string, values: readonly unknown[] = []): Promise<unknown> {
      for (;;) {
        const [first] = await column(text, values)
        if (first !== undefined) return first
      }
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

/** The connection string, its connections under a name of their own. */
export function named(url: string, name: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}application_name=${name}`
}
