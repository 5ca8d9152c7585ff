const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** As far as one character can reach that is made of many: a family of emoji, a letter with its marks. */
const LONGEST_CHARACTER = 64

/** How much of what is kept is the beginning. */
const HEAD_SHARE = 2 / 3

/** The beginning and the end of a text, about `length` UTF-16 units in all, with `note` of what is missing in between. */
export function clipText(text: string, length: number, note: (left: LeftOut) => string): string {
  if (text.length <= length) return text
  const headLength = Math.floor(length * HEAD_SHARE)
  const from = characterBorder(text, headLength)
  const to = Math.max(from, characterBorder(text, text.length - (length - headLength)))
  return `${text.slice(0, from)}${note({ from, to })}${text.slice(to)}`
}

/** The part of a text that was left out, in UTF-16 units. */
export interface LeftOut {
  readonly from: number
  readonly to: number
}

/** The last place at or before `index` at which no character, as people see it, is cut. */
export function characterBorder(text: string, index: number): number {
  if (index <= 0) return 0
  if (index >= text.length) return text.length
  const start = Math.max(0, index - LONGEST_CHARACTER)
  const around = segments.segment(text.slice(start, index + LONGEST_CHARACTER)).containing(index - start)
  return around ? start + around.index : index
}

/** The first place after `index` at which no character is cut. */
export function nextBorder(text: string, index: number): number {
  const border = characterBorder(text, index)
  const around = segments.segment(text.slice(border, border + LONGEST_CHARACTER)).containing(0)
  return border + (around?.segment.length ?? 1)
}
