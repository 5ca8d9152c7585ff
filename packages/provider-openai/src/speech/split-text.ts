const GRAINS = ['sentence', 'word', 'grapheme'] as const

/**
 * Cuts a text into parts of at most `maxLength` UTF-16 units, which together are the text: where sentences end, else between
 * words, else between characters, and only when a single character is longer than that, within it.
 */
export function splitText(text: string, maxLength: number): readonly string[] {
  return pack([text], maxLength, 0)
}

/** Joins neighbours while they fit, and cuts those that do not fit alone more finely. */
function pack(pieces: Iterable<string>, maxLength: number, grain: number): readonly string[] {
  const parts: string[] = []
  let part = ''
  for (const piece of pieces) {
    if (part.length + piece.length <= maxLength) {
      part += piece
      continue
    }
    if (part !== '') parts.push(part)
    part = piece
    if (piece.length <= maxLength) continue
    const finer = pack(segments(piece, GRAINS[grain]), maxLength, grain + 1)
    parts.push(...finer.slice(0, -1))
    part = finer.at(-1) ?? ''
  }
  if (part !== '') parts.push(part)
  return parts
}

/** Spaces and signs stay with the word before them. Without a grain, by code points. */
function* segments(text: string, granularity?: Intl.SegmenterOptions['granularity']): Generator<string> {
  if (!granularity) return yield* text
  let open = ''
  for (const { segment, isWordLike = true } of new Intl.Segmenter('en', { granularity }).segment(text)) {
    if (isWordLike && open !== '') {
      yield open
      open = ''
    }
    open += segment
  }
  yield open
}
