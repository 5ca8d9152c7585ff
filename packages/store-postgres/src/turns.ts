/** Runs `work` after all earlier work of the same name is done, however that ended. */
export type InTurn = <T>(name: string, work: () => Promise<T>) => Promise<T>

export function turns(): InTurn {
  const last = new Map<string, Promise<unknown>>()
  return async (name, work) => {
    const before = last.get(name) ?? Promise.resolve()
    const running = before.then(work, work)
    last.set(name, running)
    try {
      return await running
    } finally {
      if (last.get(name) === running) last.delete(name)
    }
  }
}
