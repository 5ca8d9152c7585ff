/** Hands values from where they come up to one consumer, in order. Nothing is lost between two `next`s. */
export interface EventQueue<T> {
  push(value: T): void
  /** No more will come; the consumer gets what is still there. */
  end(): void
  [Symbol.asyncIterator](): AsyncIterator<T, undefined>
}

export function eventQueue<T>(): EventQueue<T> {
  let values: T[] = []
  let at = 0
  let ended = false
  let waiting: ((result: IteratorResult<T, undefined>) => void) | undefined

  const DONE: IteratorResult<T, undefined> = { done: true, value: undefined }

  return {
    push(value) {
      if (!waiting) {
        values.push(value)
        return
      }
      const resolve = waiting
      waiting = undefined
      resolve({ done: false, value })
    },
    end() {
      ended = true
      waiting?.(DONE)
    },
    [Symbol.asyncIterator]: () => ({
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
        if (ended) return Promise.resolve(DONE)
        return new Promise((resolve) => {
          waiting = resolve
        })
      },
    }),
  }
}
