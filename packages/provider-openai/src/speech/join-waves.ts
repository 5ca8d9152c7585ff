/** No server writes more than this before the samples. */
const LONGEST_HEADER = 65_536
/** What a header says of a length that nobody knows yet. */
const OPEN = 0xffffffff
/** From here on a length means that it was not known. */
const NOT_MEANT = 0x7fffff00

/**
 * WAV files that follow each other as one, whose header leaves its length open, as that of a stream. Throws what `notWave`
 * makes when a file is none.
 */
export async function* joinWaves(
  files: Iterable<AsyncIterable<Uint8Array>>,
  notWave: () => Error,
): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for (const file of files) {
    yield* readWave(file, isFirst, notWave)
    isFirst = false
  }
}

/** The samples, after the header when it is wanted. What a file holds behind its samples is left out. */
async function* readWave(file: AsyncIterable<Uint8Array>, withHeader: boolean, notWave: () => Error) {
  let head = Buffer.alloc(0)
  let left: number | undefined
  for await (const chunk of file) {
    let samples = chunk
    if (left === undefined) {
      head = Buffer.concat([head, chunk])
      const data = findSamples(head)
      if (!isWave(head) || (!data && head.length > LONGEST_HEADER)) throw notWave()
      if (!data) continue
      if (withHeader) yield openHeader(head.subarray(0, data.start))
      left = data.length
      samples = head.subarray(data.start)
    }
    const taken = samples.subarray(0, left)
    left -= taken.length
    if (taken.length > 0) yield taken
  }
  if (left === undefined) throw notWave()
}

/** As far as it is read. */
function isWave(head: Buffer): boolean {
  if (head.length < 12) return true
  return head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WAVE'
}

/** Where the samples begin and how many bytes they are; `undefined` while that is not read yet. */
function findSamples(head: Buffer): { readonly start: number; readonly length: number } | undefined {
  for (let at = 12; at + 8 <= head.length; ) {
    const length = head.readUInt32LE(at + 4)
    if (head.toString('latin1', at, at + 4) === 'data') {
      return { start: at + 8, length: length === 0 || length >= NOT_MEANT ? Number.POSITIVE_INFINITY : length }
    }
    at += 8 + length + (length % 2)
  }
  return undefined
}

function openHeader(header: Buffer): Buffer {
  const open = Buffer.from(header)
  open.writeUInt32LE(OPEN, 4)
  open.writeUInt32LE(OPEN, open.length - 4)
  return open
}
