/** For how long the end of a body is awaited once all was said; with a server that ends it, it is there at once. */
const END_MS = 50
/** And how many more pieces are taken for its end. */
const END_PIECES = 8

/** What is known by now of the reply in a body. */
export interface HeardSoFar {
  /** The server has said that this was all. */
  readonly saidSo: () => boolean
  /** It may end here. */
  readonly isWhole: () => boolean
}

type Reader = ReadableStreamDefaultReader<Uint8Array>

/**
 * The bytes of a reply, as they come, until the server has said that this was all. Then the body is read to its end, so that
 * the connection can serve the next call; one that does not end, or is left early, is closed. A connection that breaks is an error
 * only while the reply is not whole.
 */
export async function* bodyBytes({ body }: Response, { saidSo, isWhole }: HeardSoFar): AsyncGenerator<Uint8Array> {
  if (!body) return
  const reader: Reader = body.getReader()
  try {
    while (!saidSo()) {
      const bytes = await nextOf(reader, isWhole)
      if (!bytes) return
      yield bytes
    }
    await untilEnd(reader)
  } finally {
    // One that broke has nothing left to close.
    await reader.cancel().catch(() => {})
  }
}

async function nextOf(reader: Reader, isWhole: () => boolean): Promise<Uint8Array | undefined> {
  try {
    return (await reader.read()).value
  } catch (error) {
    if (isWhole()) return undefined
    throw error
  }
}

async function untilEnd(reader: Reader): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<{ readonly done: true }>()
  const timer = setTimeout(() => resolve({ done: true }), END_MS)
  try {
    for (let piece = 0; piece <= END_PIECES; piece += 1) {
      if ((await Promise.race([reader.read(), late])).done) return
    }
  } catch {
    // It was whole before.
  } finally {
    clearTimeout(timer)
  }
}
