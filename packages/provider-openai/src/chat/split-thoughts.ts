import type { ModelEvent } from '@orra/core'

const OPEN = '<think>'
const CLOSE = '</think>'

/** A piece of what a model says or thinks. */
export type Delta = Exclude<ModelEvent, { readonly type: 'finish' }>

/** Tells thoughts from text. */
export interface ThoughtSplitter {
  /** Takes the next piece of content, cut anywhere; returns what is known of it by now. */
  take(text: string): readonly Delta[]
  /** What was held back, once nothing comes any more. */
  rest(): readonly Delta[]
}

/**
 * Servers that do not know a model's thoughts leave them in its text, between `<think>` and `</think>`. That is believed at
 * the very beginning of a reply only: further on, it is a text that speaks of such marks. The blank between the two goes.
 */
export function thoughtSplitter(): ThoughtSplitter {
  let state: 'begin' | 'thinking' | 'after' | 'text' = 'begin'
  let held = ''

  function* move(): Generator<Delta> {
    if (state === 'begin') {
      const begun = held.trimStart()
      if (OPEN.startsWith(begun.slice(0, OPEN.length)) && begun.length < OPEN.length) return
      state = begun.startsWith(OPEN) ? 'thinking' : 'text'
      if (state === 'thinking') held = begun.slice(OPEN.length)
    }
    if (state === 'thinking') {
      const end = held.indexOf(CLOSE)
      const known = end < 0 ? held.length - beginning(CLOSE, held) : end
      if (known > 0) yield { type: 'reasoning-delta', text: held.slice(0, known) }
      held = held.slice(known)
      if (end < 0) return
      held = held.slice(CLOSE.length)
      state = 'after'
    }
    if (state === 'after') {
      held = held.trimStart()
      if (held === '') return
      state = 'text'
    }
    if (held !== '') yield { type: 'text-delta', text: held }
    held = ''
  }

  return {
    take(text) {
      held += text
      return [...move()]
    },
    rest() {
      if (held === '') return []
      return [{ type: state === 'thinking' ? 'reasoning-delta' : 'text-delta', text: held }]
    },
  }
}

/** How much of `mark` stands at the end of `text`, which does not hold all of it. */
function beginning(mark: string, text: string): number {
  let length = Math.min(mark.length - 1, text.length)
  while (!text.endsWith(mark.slice(0, length))) length -= 1
  return length
}
