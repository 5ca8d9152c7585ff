/** What a letter beyond ASCII and a symbol are worth, in hundredths of a token; fitted to o200k_base. */
const WORTH = {
  /** A Latin letter with a diacritic, a Cyrillic letter that Russian lacks: words of such languages are cut up more. */
  diacritic: 130,
  greek: 44,
  cyrillic: 28,
  hebrew: 44,
  arabic: 37,
  devanagari: 36,
  thai: 43,
  kana: 77,
  han: 88,
  hangul: 82,
  /** A letter of another alphabet in wide use: Armenian, Bengali, Georgian, Khmer, Tamil, the vowels of Vietnamese. */
  otherAlphabet: 50,
  /** An arrow, a piece of a box, an accent that stands alone, a letter of phonetics. */
  symbol: 200,
  emoji: 210,
  /** What follows a symbol to choose between its forms. */
  selector: 100,
  /** A character that tokenizers know by its bytes only. */
  rare: 300,
  /** Half of a character beyond the basic plane, as long as its other half is missing; the same symbol again. */
  half: 15,
} as const

// The kinds that a tokenizer tells apart, letters first.
export const LOWER = 0
export const UPPER = 1
/** A letter beyond ASCII. */
export const LETTER = 2
export const DIGIT = 3
/** Punctuation. */
export const MARK = 4
export const SYMBOL = 5
export const BLANK = 6
export const LINE_END = 7

/** The kind of a UTF-16 code unit. */
export function kindOf(code: number): number {
  if (code < 0x80) {
    if (code >= 97 && code <= 122) return LOWER
    if (code === 32 || code === 9) return BLANK
    if (code >= 65 && code <= 90) return UPPER
    if (code >= 48 && code <= 57) return DIGIT
    if (code === 10 || code === 13) return LINE_END
    return code < 32 ? SYMBOL : MARK
  }
  if (code < 0xc0) return MARK
  if (code < 0x2000) return LETTER
  if (code < 0x3000) return code >= 0x2010 && code < 0x2028 ? MARK : SYMBOL
  if (code < 0x3040) return code < 0x3012 ? MARK : SYMBOL
  if (code < 0xd800) return LETTER
  return code > 0xff00 && code < 0xff21 ? MARK : SYMBOL
}

/** What a code unit of the kind `LETTER` is worth. */
export function letterWorth(code: number): number {
  if (code < 0x900) {
    if (code < 0x250) return WORTH.diacritic
    if (code < 0x370) return WORTH.symbol
    if (code < 0x400) return WORTH.greek
    if (code < 0x530) return code >= 0x410 && code < 0x450 ? WORTH.cyrillic : WORTH.diacritic
    if (code < 0x590) return WORTH.otherAlphabet
    return code < 0x600 ? WORTH.hebrew : WORTH.arabic
  }
  if (code < 0x3000) {
    if (code < 0x980) return WORTH.devanagari
    if (code >= 0xe00 && code < 0xf00) return WORTH.thai
    if (code >= 0x1f00) return WORTH.symbol
    const used =
      code < 0xe00 || (code >= 0x1000 && code < 0x1100) || (code >= 0x1780 && code < 0x1800) || code >= 0x1e00
    return used ? WORTH.otherAlphabet : WORTH.rare
  }
  if (code < 0x3100) return WORTH.kana
  if (code >= 0x4e00 && code < 0xa000) return WORTH.han
  return code >= 0xac00 ? WORTH.hangul : WORTH.rare
}

/** What a code unit of the kind `SYMBOL` is worth after the one before it. */
export function symbolWorth(code: number, before: number): number {
  if (code === before) return WORTH.half
  if (code < 0xd800) return WORTH.symbol
  if (code >= 0xe000) return code >= 0xfe00 && code < 0xfe10 ? WORTH.selector : WORTH.rare
  if (code < 0xdc00 || before < 0xd800 || before >= 0xdc00) return WORTH.half
  return (before >= 0xd83c && before <= 0xd83e ? WORTH.emoji : WORTH.rare) - WORTH.half
}
