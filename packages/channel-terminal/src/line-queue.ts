import type { Interface } from 'node:readline'

/** The lines that were typed and not yet answered. */
export interface LineQueue {
  /** The next line; `undefined` once the input has ended and all of its lines were taken. */
  next(): Promise<string | undefined>
  /** Forgets what was typed ahead. */
  clear(): void
  /** No more can be typed. */
  readonly closed: boolean
}

export function lineQueue(readline: Interface): LineQueue {
  let lines: string[] = []
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

  return {
    async next() {
      if (lines.length === 0 && !closed) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return lines.shift()
    },
    clear() {
      lines = []
    },
    get closed() {
      return closed
    },
  }
}
