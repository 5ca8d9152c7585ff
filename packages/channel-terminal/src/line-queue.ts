import type { Interface } from 'node:readline'

/** The lines that were typed and not yet answered. */
export interface LineQueue {
  /** The next line; `undefined` once the input has ended and all of its lines were taken. */
  next(): Promise<string | undefined>
  /** The next line that is typed from now on, `undefined` once the input has ended. Those typed before stay for `next`. */
  nextFresh(): Promise<string | undefined>
  /** Forgets what was typed ahead. */
  clear(): void
  /** No more can be typed. */
  readonly closed: boolean
}

export function lineQueue(readline: Interface): LineQueue {
  let lines: string[] = []
  /** Typed before something was asked that they are no answer to. */
  let ahead: string[] = []
  let closed = false
  let wake = () => {}

  readline.on('line', (line) => {
    lines.push(line)
    wake()
  })
  readline.on('close', () => {
    closed = true
    wake()
  })

  async function takeTyped(): Promise<string | undefined> {
    if (lines.length === 0 && !closed) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return lines.shift()
  }

  return {
    next: async () => ahead.shift() ?? takeTyped(),
    nextFresh() {
      ahead = [...ahead, ...lines]
      lines = []
      return takeTyped()
    },
    clear() {
      lines = []
      ahead = []
    },
    get closed() {
      return closed
    },
  }
}
