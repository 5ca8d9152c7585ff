import { inflateSync } from 'node:zlib'

/** What can be told of a PDF without rendering it. */
export interface PdfFacts {
  /** `undefined` when no page object can be found, as in a damaged file. */
  readonly pages: number | undefined
  /** It needs a password, if only an empty one. */
  readonly isEncrypted: boolean
}

/** Of all compressed objects of one file together; what a file holds beyond them is not looked into. */
const MOST_STREAMS = 5000
const MOST_INFLATED_BYTES = 64 * 1024 * 1024

const PAGE = /\/Type\s{0,4}\/Page(?![a-zA-Z])/
/** The number of an object, a page, or a stream of compressed objects. Whatever the bytes are, it costs one way through. */
const MARKS = new RegExp(
  `(?<!\\d)(\\d{1,10})\\s{1,4}\\d{1,5}\\s{1,4}obj\\b|${PAGE.source}|/Type\\s{0,4}/ObjStm\\b`,
  'g',
)

/** A compressed object holds others: where each begins, and its number, as the first bytes say. */
interface PackedObject {
  readonly at: number
  readonly number: string
}

/**
 * Counts the page objects of a PDF, those in compressed streams too, each number once: a file that was changed holds old
 * versions of its pages. `undefined` when the bytes are no PDF.
 */
export function readPdf(bytes: Buffer): PdfFacts | undefined {
  const text = bytes.toString('latin1')
  if (!text.slice(0, 1024).includes('%PDF-')) return undefined
  const pages = new Set<string>()
  let object = { number: '', at: 0 }
  let [streams, room, readTo] = [MOST_STREAMS, MOST_INFLATED_BYTES, 0]
  for (const match of text.matchAll(MARKS)) {
    const { index } = match
    if (match[1] !== undefined) object = { number: match[1], at: index }
    else if (PAGE.test(match[0])) pages.add(object.number)
    else if (index >= readTo && streams > 0 && room > 0) {
      const found = streamAfter(text, index)
      if (!found) continue
      const unpacked = inflated(bytes.subarray(found.from, found.to), room)
      for (const page of pagesOf(unpacked, text.slice(object.at, found.from))) pages.add(page)
      readTo = found.to
      streams -= 1
      room -= unpacked.length
    }
  }
  return { pages: pages.size > 0 ? pages.size : undefined, isEncrypted: /\/Encrypt\s{0,4}(?:\d|<<)/.test(text) }
}

function streamAfter(text: string, at: number): { readonly from: number; readonly to: number } | undefined {
  const begin = /stream\r?\n/.exec(text.slice(at, at + 4096))
  if (!begin) return undefined
  const from = at + begin.index + begin[0].length
  const to = text.indexOf('endstream', from)
  return { from, to: to < 0 ? text.length : to }
}

function inflated(bytes: Buffer, maxOutputLength: number): string {
  try {
    return inflateSync(bytes, { maxOutputLength }).toString('latin1')
  } catch {
    // Packed in another way, encrypted or damaged.
    return ''
  }
}

/** The numbers of the pages in a stream of objects. */
function pagesOf(stream: string, dictionary: string): readonly string[] {
  const objects = packedObjects(stream, Number(/\/First\s{0,4}(\d{1,9})/.exec(dictionary)?.[1] ?? 0))
  let current = 0
  return Array.from(stream.matchAll(new RegExp(PAGE, 'g')), ({ index }) => {
    while ((objects[current + 1]?.at ?? Number.POSITIVE_INFINITY) <= index) current += 1
    return objects[current]?.number ?? ''
  })
}

function packedObjects(stream: string, first: number): readonly PackedObject[] {
  const pairs = Array.from(stream.slice(0, first).matchAll(/(\d{1,10})\s{1,4}(\d{1,10})/g), ([, number = '', at]) => ({
    at: first + Number(at),
    number,
  }))
  return pairs.sort((a, b) => a.at - b.at)
}
