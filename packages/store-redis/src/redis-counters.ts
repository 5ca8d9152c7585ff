import { randomUUID } from 'node:crypto'
import {
  type Claim,
  type Counter,
  type Counters,
  checkAmount,
  checkClaims,
  pageOf,
  type Reservation,
  refusedClaim,
} from '@orra/core'
import { ERASE, EXTEND, LIST, RESERVE, SETTLE } from './counter-scripts.ts'
import { fieldsInScope } from './fields-in-scope.ts'
import { rootOf } from './keys.ts'
import { namespaceIndex } from './namespace-index.ts'
import type { RedisAccess } from './redis-access.ts'
import type { Script } from './script.ts'
import { split } from './split.ts'

/** Namespaces that have no counter any more, each followed by its mark. */
type Gone = readonly string[]
type Reply<Answer extends string> = readonly [gone: Gone, answer: Answer | 'unlisted', texts?: readonly string[]]
type ListReply = readonly [gone: Gone, mark: string | null, found: readonly CounterReply[]]
type CounterReply = readonly [place: string, used: string, reserved: string, ends: string | null]

export function redisCounters(access: RedisAccess): Counters {
  const index = namespaceIndex(access, access.keys.counterIndex)

  async function forget(gone: Gone): Promise<void> {
    const marks = gone.flatMap((namespace, place) =>
      place % 2 === 0 ? [[namespace, gone[place + 1] ?? ''] as const] : [],
    )
    await Promise.all(marks.map(([namespace, mark]) => index.remove(namespace, mark)))
  }

  /** Runs a script that may make the first counter of a namespace, with a mark for each that needs one. */
  async function withMarks<Answer extends string>(root: string, script: Script, args: readonly (string | number)[]) {
    const marks = new Map<string, string>()
    for (;;) {
      const reply = await access.run<Reply<Answer>>(script, access.keys.counters(root), [...args, ...[...marks].flat()])
      const [gone, answer, texts = []] = reply
      await forget(gone)
      if (answer !== 'unlisted') return { answer, texts, marks }
      for (const namespace of new Set(texts)) marks.set(namespace, await index.add(namespace))
    }
  }

  async function reserve(claims: readonly Claim[], ttlMs: number): Promise<Reservation> {
    const root = rootOf(claims[0]?.namespace.key ?? '')
    const id = randomUUID()
    const parts = claims.flatMap(({ namespace, counter, window, endsAt, amount, limit }) => {
      return [namespace.key, counter, window, endsAt ?? '', amount, limit ?? Number.MAX_SAFE_INTEGER]
    })
    for (;;) {
      const { answer, texts, marks } = await withMarks<'granted' | 'refused'>(root, RESERVE, [
        id,
        ttlMs,
        claims.length,
        ...parts,
      ])
      if (answer === 'granted') return { granted: true, id: `${id}:${root}` }
      await forget([...marks].flat())
      const refused = refusedClaim(claims, texts.map(Number))
      if (refused) return refused
    }
  }

  return {
    async reserve(claims, { ttlMs, signal }) {
      signal?.throwIfAborted()
      checkClaims(claims)
      checkAmount(ttlMs)
      return await reserve(claims, ttlMs)
    },

    async extend(id, ttlMs, { signal } = {}) {
      signal?.throwIfAborted()
      checkAmount(ttlMs)
      const [own, root] = split(id, ':')
      return (await access.run(EXTEND, access.keys.counters(root), [own, ttlMs])) === 1
    },

    async settle(id, amounts, { signal } = {}) {
      signal?.throwIfAborted()
      amounts.forEach(checkAmount)
      const [own, root] = split(id, ':')
      const { answer } = await withMarks<'settled' | 'none'>(root, SETTLE, [own, amounts.length, ...amounts])
      return answer === 'settled'
    },

    async list({ namespace, within, after, limit = 100, signal } = {}) {
      signal?.throwIfAborted()
      const scope = { namespace, within, after }
      const found = await fieldsInScope(index, scope, limit + 1, async (key, field, count) => {
        const from = field === undefined ? `[${key}\0` : `(${key}\0${field}`
        const args = [key, from, `(${key}\x01`, count]
        const [gone, mark, counters] = await access.run<ListReply>(LIST, access.keys.counters(rootOf(key)), args)
        await forget(gone)
        return { mark, found: counters.map(counterOf) }
      })
      return pageOf(found, limit, ({ namespace, counter, window }) => [namespace, counter, window].join('\0'))
    },

    async erase({ key }, { signal } = {}) {
      signal?.throwIfAborted()
      const [gone, count] = await access.run<readonly [Gone, number]>(ERASE, access.keys.counters(rootOf(key)), [key])
      await forget(gone)
      return count
    },
  }
}

function counterOf([place, used, reserved, ends]: CounterReply): Counter {
  const [namespace = '', counter = '', window = ''] = place.split('\0')
  const endsAt = ends === null ? {} : { endsAt: Number(ends) }
  return { namespace, counter, window, ...endsAt, used: Number(used), reserved: Number(reserved) }
}
