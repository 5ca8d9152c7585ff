import { createHash } from 'node:crypto'
import { type JsonValue, textIn, wordsOf } from '@orra/core'
import { type Sql, sql } from './sql.ts'

/** In characters. An index takes about 2,700 bytes; what is longer than any real word is kept as its hash. */
const LONGEST_WORD = 128

/** The words by which a record is found. */
export function wordsIn(value: JsonValue): readonly string[] {
  return distinctWords(textIn(value))
}

export function distinctWords(text: string): readonly string[] {
  const words = wordsOf(text).map((word) => {
    return word.length <= LONGEST_WORD ? word : createHash('sha256').update(word).digest('base64url')
  })
  return [...new Set(words)]
}

/**
 * The records that have any of the words, best first. A word counts the more, the fewer of those found have it; all count
 * for something, so that more words come before fewer of the same.
 */
export function searching(record: Sql, columns: Sql, words: readonly string[], inScope: Sql, limit: number): Sql {
  return sql`WITH
    found AS MATERIALIZED (
      SELECT namespace, collection, id, ARRAY(SELECT word FROM unnest(words) AS word WHERE word = ANY(${words}::text[])) AS hits
      FROM ${record} WHERE words && ${words}::text[] AND ${inScope}
    ),
    weights AS (
      SELECT word, ln(1 + (SELECT count(*) FROM found)::float8 / count(*)) AS weight
      FROM found, unnest(hits) AS word GROUP BY word
    ),
    best AS (
      SELECT namespace, collection, id, sum(weight) AS score
      FROM found, unnest(hits) AS word JOIN weights USING (word)
      GROUP BY namespace, collection, id ORDER BY score DESC, namespace, collection, id LIMIT ${limit}
    )
    SELECT ${columns} FROM best JOIN ${record} USING (namespace, collection, id)
    ORDER BY score DESC, namespace, collection, id`
}
