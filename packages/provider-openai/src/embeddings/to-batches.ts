/** Of all texts of a request. */
const MAX_TOKENS = 300_000

/** Cuts the texts into requests that the API takes, in their order. A text that is too long for one alone stands alone. */
export function* toBatches(texts: readonly string[], maxTexts: number): Generator<string[]> {
  let batch: string[] = []
  let tokens = 0
  for (const text of texts) {
    const more = mostTokens(text)
    if (batch.length > 0 && (batch.length === maxTexts || tokens + more > MAX_TOKENS)) {
      yield batch
      batch = []
      tokens = 0
    }
    batch.push(text)
    tokens += more
  }
  if (batch.length > 0) yield batch
}

/** A token is at least one byte long; one more for what a server may put around a text. */
function mostTokens(text: string): number {
  return Buffer.byteLength(text) + 1
}
