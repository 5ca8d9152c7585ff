import type { Namespace } from '@orra/core'
import { plainNames } from './plain-names.ts'

/** Where a process is to be killed: at the step of this name, or at the so-manieth, counting from 1. */
export type Death = string | number

/** The places at which a process can be killed, as it comes past them. */
export interface Steps {
  /** The names of all so far, in order. */
  readonly passed: readonly string[]
  /** How a namespace is called in the names of steps, the same in every process. */
  nameOf(namespace: Namespace): string
  /**
   * Numbers one more occurrence of something that happens. The function returned marks a step of it, such as `before`; it
   * does not return when the process is to be killed there.
   */
  next(what: string): (when: string) => void
  /** Does something with a step before it, one after it and, if it takes more than a moment, one while it is under way. */
  around<T>(what: string, work: () => T | Promise<T>, done?: (result: T) => void): Promise<T>
}

/**
 * Names do not depend on how things in different sessions fall together: each kind of thing counts by itself, in its own
 * session.
 */
export function countSteps(death: Death | undefined): Steps {
  const passed: string[] = []
  const occurrences = new Map<string, number>()

  function next(what: string) {
    const occurrence = (occurrences.get(what) ?? 0) + 1
    occurrences.set(what, occurrence)
    return (when: string) => {
      const name = `${when} ${what} #${occurrence}`
      passed.push(name)
      if (death === name || death === passed.length) die()
    }
  }

  return {
    passed,
    nameOf: plainNames(),
    next,
    async around(what, work, done) {
      const at = next(what)
      at('before')
      let isUnderWay = true
      const result = (async () => work())()
      const over = () => {
        isUnderWay = false
      }
      result.then(over, over)
      setImmediate(() => {
        if (isUnderWay) at('during')
      })
      try {
        done?.(await result)
        return await result
      } finally {
        at('after')
      }
    },
  }
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // Nothing may happen any more, not even in the moment until the signal arrives.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  throw new Error('A process went on after it was killed.')
}
