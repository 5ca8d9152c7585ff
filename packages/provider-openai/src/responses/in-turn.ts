/** Lets out texts one whole after another, though their pieces may come mixed. */
export interface Turns {
  /** Gives a text its turn, after those that have one. */
  queue(key: string): void
  /** A piece of a text that has a turn; returns what may be let out now. */
  say(key: string, piece: string): string
  /** Nothing more comes of a text; returns what that lets out. */
  end(key: string): string
  /** Nothing more comes at all; returns the rest. */
  endAll(): string
}

export function inTurn(): Turns {
  const turns = new Map<string, { held: string; isDone: boolean }>()
  /** Those that are not all out, in their order. */
  const open: string[] = []

  function released(): string {
    let text = ''
    for (let turn = turns.get(open[0] ?? ''); turn; turn = turns.get(open[0] ?? '')) {
      text += turn.held
      turn.held = ''
      if (!turn.isDone) break
      open.shift()
    }
    return text
  }

  function finish(key: string): void {
    const turn = turns.get(key)
    if (turn) turn.isDone = true
  }

  return {
    queue(key) {
      if (turns.has(key)) return
      turns.set(key, { held: '', isDone: false })
      open.push(key)
    },
    say(key, piece) {
      const turn = turns.get(key)
      if (turn) turn.held += piece
      return released()
    },
    end(key) {
      finish(key)
      return released()
    },
    endAll() {
      for (const key of open) finish(key)
      return released()
    },
  }
}
