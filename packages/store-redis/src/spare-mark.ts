import type { NamespaceIndex } from './namespace-index.ts'

/** An entry of an index, made before it is known whether it will be used. */
export interface SpareMark {
  /** Whoever hands it to Redis takes it: after a broken connection nobody knows whether it is in use. */
  take(): Promise<string>
  /** It was not used after all. */
  giveBack(mark: string): void
  /** Removes what nobody took. */
  drop(): Promise<void>
}

export function spareMark(index: NamespaceIndex, namespace: string): SpareMark {
  let spare: string | undefined
  return {
    async take() {
      const mark = spare ?? (await index.add(namespace))
      spare = undefined
      return mark
    },
    giveBack(mark) {
      spare = mark
    },
    async drop() {
      const mark = spare
      spare = undefined
      if (mark !== undefined) await index.remove(namespace, mark)
    },
  }
}
