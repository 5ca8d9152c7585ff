type Result<T> = IteratorResult<T, undefined>

/**
 * What `work` emits, as it comes, to one reader. The work begins with the first `next` and goes on at its own speed; what
 * has not been read yet is kept. When it fails, the reader gets the failure after everything that was emitted before.
 * Leaving early aborts the work's signal and waits for its end.
 */
export function eventStream<T>(
  work: (emit: (value: T) => void, left: AbortSignal) => Promise<unknown>,
): AsyncIterableIterator<T, undefined> {
  const left = new AbortController()
  const readers: PromiseWithResolvers<Result<T>>[] = []
  let values: T[] = []
  let at = 0
  let begun: Promise<void> | undefined
  let ended = false
  let failure: { readonly error: unknown } | undefined

  function emit(value: T): void {
    const reader = readers.shift()
    if (reader) reader.resolve({ done: false, value })
    else if (!left.signal.aborted) values.push(value)
  }

  function end(): void {
    ended = true
    for (const reader of readers.splice(0)) settle(reader)
  }

  function settle(reader: PromiseWithResolvers<Result<T>>): void {
    if (failure && !left.signal.aborted) reader.reject(failure.error)
    else reader.resolve({ done: true, value: undefined })
    failure = undefined
  }

  function begin(): Promise<void> {
    return work(emit, left.signal)
      .catch((error: unknown) => {
        failure = { error }
      })
      .then(end)
  }

  return {
    [Symbol.asyncIterator]() {
      return this
    },

    next() {
      if (at < values.length) {
        const value = values[at] as T
        at += 1
        if (at === values.length) {
          values = []
          at = 0
        }
        return Promise.resolve({ done: false, value })
      }
      const reader = Promise.withResolvers<Result<T>>()
      if (ended) {
        settle(reader)
      } else {
        readers.push(reader)
        begun ??= begin()
      }
      return reader.promise
    },

    async return() {
      left.abort()
      values = []
      at = 0
      if (begun) await begun
      else end()
      return { done: true, value: undefined }
    },
  }
}
