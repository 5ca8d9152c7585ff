import { randomUUID } from 'node:crypto'
import type { Namespace } from '@orra/core'
import type { RedisAccess } from './redis-access.ts'
import { defineScript } from './script.ts'
import { split } from './split.ts'

/**
 * Which namespaces have something, in order: a sorted set of members `namespace NUL mark`. In a cluster it lies elsewhere
 * than what it points to, so the two cannot change together. Each entry is therefore made with a mark of its own before
 * the thing, which keeps the mark as long as it is there; it is removed after the thing, by this mark alone. Whoever
 * dies between the two leaves at most an entry without its thing, never a thing without its entry.
 */
export interface NamespaceIndex {
  /** Makes an entry and returns its mark. */
  add(namespace: string): Promise<string>
  /** Removes an entry. Does not throw: one that stays is passed over, and removed by `expire` some day. */
  remove(namespace: string, mark: string): Promise<void>
  /** Entries in order, a batch at a time: of a namespace and all below it, from this namespace on. */
  batches(within: Namespace | undefined, from?: From): AsyncGenerator<readonly IndexEntry[]>
  /** Removes those of these entries, whose thing was not found, that were too old for it to be still in the making. */
  expire(entries: readonly IndexEntry[]): Promise<void>
}

export interface IndexEntry {
  readonly namespace: string
  readonly mark: string
  /** Whether it was, when it was read, so old that no script takes its mark any more. */
  readonly isOld: boolean
}

interface From {
  readonly namespace: string
  /** Whether the namespace itself is left out. */
  readonly after: boolean
}

const BATCH = 100

const EXPIRE_AFTER_MS = 60 * 60 * 1000

/**
 * For the scripts that take a mark, which begins with the time it was made: none is taken long before its entry may be
 * removed. Whoever stood still in between is told so, and makes another. The rest of the time is for clocks that differ.
 */
export const IS_FRESH = `
local function isFresh(mark)
  local made = tonumber(string.match(mark, '^%d+'))
  return made and made + ${EXPIRE_AFTER_MS / 2} > now
end
`

const ADD = defineScript(`
local mark = whole(now) .. '.' .. ARGV[3]
redis.call('ZADD', KEYS[1], 0, ARGV[2] .. '\\0' .. mark)
return mark
`)

const REMOVE = defineScript(`return redis.call('ZREM', KEYS[1], unpack(ARGV, 2))`)

/** The time, and members. */
const RANGE = defineScript(`
return { whole(now), redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4]) }
`)

type RangeReply = readonly [readAt: string, members: readonly string[]]

export function namespaceIndex(access: RedisAccess, key: string): NamespaceIndex {
  async function removeAll(entries: readonly Member[]): Promise<void> {
    if (entries.length > 0) await access.run(REMOVE, [key], entries.map(memberOf)).catch(() => {})
  }

  return {
    add: (namespace) => access.run(ADD, [key], [namespace, randomUUID()]),

    remove: (namespace, mark) => removeAll([{ namespace, mark }]),

    async *batches(within, from) {
      for (const [first, end] of rangesOf(within)) {
        let start = laterOf(first, startOf(from))
        for (;;) {
          const [readAt, members] = await access.run<RangeReply>(RANGE, [key], [start, end, BATCH])
          if (members.length > 0) yield members.map((member) => entryOf(member, Number(readAt)))
          if (members.length < BATCH) break
          start = `(${members.at(-1)}`
        }
      }
    },

    expire: (entries) => removeAll(entries.filter(({ isOld }) => isOld)),
  }
}

type Member = Pick<IndexEntry, 'namespace' | 'mark'>

function memberOf({ namespace, mark }: Member): string {
  return `${namespace}\0${mark}`
}

function entryOf(member: string, readAt: number): IndexEntry {
  const [namespace, mark] = split(member, '\0')
  return { namespace, mark, isOld: Number.parseInt(mark, 10) + EXPIRE_AFTER_MS < readAt }
}

/** The members of a namespace itself, then of those below it: `;` follows `:`. */
function rangesOf(within: Namespace | undefined): readonly (readonly [start: string, end: string])[] {
  if (within === undefined) return [['-', '+']]
  const { key } = within
  return [
    [`[${key}\0`, `(${key}\x01`],
    [`[${key}:`, `(${key};`],
  ]
}

function startOf(from: From | undefined): string {
  if (from === undefined) return '-'
  return from.after ? `[${from.namespace}\x01` : `[${from.namespace}\0`
}

/** Redis orders by bytes. */
function laterOf(a: string, b: string): string {
  if (a === '-') return b
  if (b === '-') return a
  return Buffer.compare(Buffer.from(a.slice(1)), Buffer.from(b.slice(1))) < 0 ? b : a
}
