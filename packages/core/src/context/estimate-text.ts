import {
  BLANK,
  DIGIT,
  kindOf,
  LETTER,
  LINE_END,
  LOWER,
  letterWorth,
  MARK,
  SYMBOL,
  symbolWorth,
  UPPER,
} from './character-worth.ts'

// All costs are in hundredths of a token, so that their sums are exact; they are fitted to o200k_base.
const TOKEN = 100
/** A letter a–z, or the capital that a word begins with: a word of six letters is one token. */
const SMALL_LETTER = 15
/** Any further capital of a word, and a letter of a word that is as long as no common one. */
const LATER_LETTER = 24
const LONG_WORD = 16
/** A letter of base64, hex and the like. */
const NOISE_LETTER = 65
const PUNCTUATION = 36
/** The same mark or blank again. */
const AGAIN = 3
/** What a word costs to begin right after a single mark, as in `.name`: the two are often one token. */
const JOINED = 15
/** What a word of four letters or more costs more if it ends in a, i, o or u: English has few, its neighbours have many. */
const OPEN_ENDING = 40
/** After so many short steps between small letters, capitals and digits, the rest of a run is noise. */
const NOISY = 3
/** So many consonants in a row are noise as well, or a compound that is cut up like noise. */
const CONSONANTS = 5
/** The letters a, e, i, o, u and y, each as the bit of its place in the alphabet. */
const VOWELS = 0x2208222
/** The letters a, i, o and u. */
const OPEN_VOWELS = 0x208202

/**
 * About how many tokens a model makes of a text, from the kinds of its characters alone, in one pass. A whole number: 0
 * for the empty text only, never smaller after text is appended, and for the halves of a text that is cut at the end of a
 * line together what it is for the whole, give or take one. Letters strung together at random cost more than it says:
 * outside Latin, up to three times as much.
 *
 * It walks the pieces that a tokenizer cuts a text into: words, numbers, runs of marks, indentation. A piece costs what it
 * costs to begin, mostly one token, and more once its characters together are worth more than one.
 */
export function estimateTextTokens(text: string): number {
  let cost = 0
  // A text begins as a line does.
  let code = 10
  let kind = LINE_END
  // Of the piece: how many characters it has, what they are worth together, how many consonants it ends with.
  let length = 0
  let worth = 0
  let consonants = 0
  // How much the text since the last blank looks like noise.
  let noise = 0

  for (let index = 0; index < text.length; index += 1) {
    const before = code
    const last = kind
    code = text.charCodeAt(index)
    kind = kindOf(code)
    if (begins(kind, last)) {
      cost += costToEnd(kind, last, length, before) + costToBegin(kind, last, length)
      noise = noiseAt(kind, last, length, noise)
      // The blank before a mark is part of the run, so that a word after both is not joined.
      length = kind === MARK && last === BLANK ? 1 : 0
      worth = kind <= LETTER || kind === MARK ? 0 : TOKEN
      consonants = 0
    }
    if (kind <= UPPER) {
      consonants = isOf(VOWELS, code) ? 0 : consonants + 1
      if (consonants === CONSONANTS) noise = NOISY
    }
    const own = worthOf(kind, code, before, length, noise)
    worth += own
    if (worth > TOKEN) cost += Math.min(own, worth - TOKEN)
    length += 1
  }
  return text === '' ? 0 : Math.max(1, Math.ceil(cost / TOKEN))
}

function begins(kind: number, last: number): boolean {
  if (kind > LETTER) return kind !== last
  return last > LETTER || (kind === UPPER && last === LOWER)
}

function costToEnd(kind: number, last: number, length: number, before: number): number {
  return last === LOWER && kind > LETTER && length > 3 && isOf(OPEN_VOWELS, before) ? OPEN_ENDING : 0
}

/** `length` is that of the piece that ends. */
function costToBegin(kind: number, last: number, length: number): number {
  if (kind <= LETTER) return last === MARK && length === 1 ? JOINED : TOKEN
  // A blank is part of the word or the mark after it, but not of a number.
  if (kind === DIGIT) return last === BLANK ? 2 * TOKEN : TOKEN
  if (kind === LINE_END) return last === MARK || (last === BLANK && length > 1) ? 0 : TOKEN
  return kind === MARK ? TOKEN : 0
}

function noiseAt(kind: number, last: number, length: number, noise: number): number {
  if (kind > MARK) return 0
  if (kind === MARK) return noise >> 1
  return last <= DIGIT && length < 3 ? noise + 1 : noise
}

function worthOf(kind: number, code: number, before: number, length: number, noise: number): number {
  if (kind <= UPPER) {
    if (noise >= NOISY) return NOISE_LETTER
    return (kind === UPPER && length > 0) || length >= LONG_WORD ? LATER_LETTER : SMALL_LETTER
  }
  if (kind === LETTER) return letterWorth(code)
  if (kind === DIGIT) return length > 0 && length % 3 === 0 ? TOKEN : 0
  if (kind === MARK) return code === before ? AGAIN : PUNCTUATION
  if (kind === SYMBOL) return symbolWorth(code, before)
  if (length === 0) return 0
  return kind === BLANK && length === 1 ? TOKEN : AGAIN
}

function isOf(letters: number, code: number): boolean {
  return ((letters >> (code & 31)) & 1) === 1
}
