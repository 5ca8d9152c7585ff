/** What `work` makes of each item, as it comes; never of more than `limit` at once. Leaving it waits for what has begun. */
export async function* inParallel<T, R>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running = new Map<T, Promise<readonly [T, R]>>()
  const first = async (): Promise<R> => {
    const [item, result] = await Promise.race(running.values())
    running.delete(item)
    return result
  }
  try {
    for (const item of items) {
      if (running.size >= limit) yield await first()
      running.set(
        item,
        work(item).then((result) => [item, result] as const),
      )
    }
    while (running.size > 0) yield await first()
  } finally {
    await Promise.allSettled(running.values())
  }
}
