import { isBase64 } from '../is-base64.ts'

export type Vector = readonly number[]

/** The vectors of a reply in the order of its `count` texts, or what is wrong with it. @param length @default the first's */
export function vectorsIn(reply: unknown, count: number, length?: number): readonly Vector[] | string {
  const { data } = (reply ?? {}) as { readonly data?: unknown }
  if (!Array.isArray(data)) return 'it holds no list of vectors'
  if (data.length !== count) return `it holds ${data.length} vectors for ${count} texts`
  const ordered = inOrder(data)
  if (!ordered) return 'its vectors do not say which texts they belong to'
  const vectors: Vector[] = []
  for (const { embedding } of ordered) {
    const vector = toVector(embedding)
    if (!vector) return 'a vector is empty or holds what is no number'
    const expected = length ?? vectors[0]?.length ?? vector.length
    if (vector.length !== expected) return `a vector holds ${vector.length} numbers where ${expected} were to be`
    vectors.push(vector)
  }
  return vectors
}

interface Item {
  readonly index?: unknown
  readonly embedding?: unknown
}

/** By their indexes, or as they stand where they have none. */
function inOrder(data: readonly (Item | null)[]): readonly Item[] | undefined {
  const items = data.map((item) => item ?? {})
  if (items.every(({ index }) => index === undefined)) return items
  const places = new Map(items.map((item) => [item.index, item]))
  const ordered = items.map((_, index) => places.get(index))
  return ordered.every((item) => item !== undefined) ? ordered : undefined
}

/** Numbers, or the base64 of 32-bit floats in little-endian order. */
function toVector(given: unknown): Vector | undefined {
  const numbers = typeof given === 'string' ? floatsIn(given) : given
  return Array.isArray(numbers) && numbers.length > 0 && numbers.every(Number.isFinite) ? numbers : undefined
}

function floatsIn(base64: string): Vector | undefined {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length % 4 !== 0 || !isBase64(base64)) return undefined
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}
