import { type Entry, isOrraError, type LoggedEntry, Namespace, type SessionLog, type Store } from '@orra/core'
import { describe, expect, it } from 'vitest'

/** A store to try, and what becomes of it. */
export interface StoreUnderTest {
  readonly store: Store
  /** The same data through a new store, as after a restart; for durable stores. */
  readonly reopen?: () => Promise<Store>
  /** Moves the store's clock. */
  readonly advance: (ms: number) => void
  readonly dispose?: () => Promise<void>
}

const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
const alice = Namespace.of('tenant', 'acme', 'user', 'alice')
const run = 'run-1'

export interface DescribeStoreOptions {
  /** What it holds outlives the object. @default true */
  readonly durable?: boolean
}

/** Everything the contract of `Store` asks, as one suite: `describeStore('mine', async () => ({ store, advance, reopen }))`. */
export function describeStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  { durable = true }: DescribeStoreOptions = {},
): void {
  const withStore = async (test: (sessions: SessionLog, tested: StoreUnderTest) => Promise<void>) => {
    const tested = await open()
    try {
      await test(tested.store.sessions, tested)
    } finally {
      await tested.store[Symbol.asyncDispose]()
      await tested.dispose?.()
    }
  }
  const scenario = (title: string, test: Parameters<typeof withStore>[0]) => it(title, () => withStore(test))

  describe(`${name}: the log`, () => {
    scenario('knows nothing of a session before its first entry', async (sessions) => {
      expect(await sessions.head(bob)).toBeUndefined()
      expect(await sessions.read(bob)).toEqual([])
    })

    scenario('numbers entries from 1 and returns them as they were given', async (sessions) => {
      const { seqs, head } = await sessions.append(bob, [input('a'), input('b')])
      expect(seqs).toEqual([1, 2])
      expect(head).toMatchObject({ namespace: bob.key, length: 2, inbox: ['a', 'b'], epoch: 0 })
      expect((await sessions.append(bob, [input('c')])).seqs).toEqual([3])
      expect(entriesOf(await sessions.read(bob))).toEqual([input('a'), input('b'), input('c')])
      expect((await sessions.read(bob)).map(({ seq }) => seq)).toEqual([1, 2, 3])
    })

    scenario('reads on from a place, in pages', async (sessions) => {
      await sessions.append(
        bob,
        ['a', 'b', 'c', 'd'].map((text) => input(text)),
      )
      expect(textsOf(await sessions.read(bob, { after: 2 }))).toEqual(['c', 'd'])
      expect(textsOf(await sessions.read(bob, { after: 1, limit: 2 }))).toEqual(['b', 'c'])
      expect(await sessions.read(bob, { after: 4 })).toEqual([])
    })

    scenario('appends all entries of a call or none', async (sessions) => {
      await expect(sessions.append(bob, [input('kept out'), ended()])).rejects.toSatisfy(fenced)
      expect(await sessions.read(bob)).toEqual([])
    })

    scenario('keeps copies', async (sessions) => {
      const entry = input('before')
      await sessions.append(bob, [entry])
      Object.assign(entry.message.content[0] as object, { text: 'after' })
      expect(textsOf(await sessions.read(bob))).toEqual(['before'])
      const [read] = await sessions.read(bob)
      try {
        Object.assign((read as LoggedEntry).entry, { type: 'metadata' })
      } catch {
        // Frozen: as good as a copy.
      }
      expect(entriesOf(await sessions.read(bob))[0]).toMatchObject({ type: 'input' })
    })

    scenario('keeps every character, and entries of a mebibyte', async (sessions) => {
      const texts = ['𝒳 ünï 日本語 \u0000 \u2028 "\\', 'x'.repeat(1024 * 1024)]
      await sessions.append(
        bob,
        texts.map((text) => input(text)),
      )
      expect(textsOf(await sessions.read(bob, { limit: 1 }))).toEqual([texts[0]])
      expect(textsOf(await sessions.read(bob, { after: 1 }))).toEqual([texts[1]])
    })

    scenario('reads a long log to its end', async (sessions) => {
      const { epoch } = await claimed(sessions)
      for (let part = 0; part < 10; part += 1) {
        await sessions.append(
          bob,
          Array.from({ length: 1000 }, (_, index) => message(`${part * 1000 + index}`)),
          { epoch },
        )
      }
      const seen: string[] = []
      for (let after = 0; ; ) {
        const page = await sessions.read(bob, { after })
        if (page.length === 0) break
        seen.push(...textsOf(page))
        after = (page.at(-1) as LoggedEntry).seq
      }
      expect(seen).toEqual(Array.from({ length: 10_000 }, (_, index) => `${index}`))
    })

    scenario('gives each of many simultaneous appends a place of its own', async (sessions) => {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, index) => sessions.append(bob, [input(`${index}`)])),
      )
      expect(results.flatMap(({ seqs }) => seqs).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 50 }, (_, index) => index + 1),
      )
      expect(await sessions.read(bob)).toHaveLength(50)
    })

    scenario('refuses to begin when the signal has aborted', async (sessions) => {
      const signal = AbortSignal.abort(new Error('stop'))
      await expect(sessions.append(bob, [input('a')], { signal })).rejects.toThrow('stop')
      await expect(sessions.read(bob, { signal })).rejects.toThrow('stop')
      expect(await sessions.head(bob)).toBeUndefined()
    })
  })

  describe(`${name}: the inbox`, () => {
    scenario('accepts a key once, and names the first place again', async (sessions) => {
      const once = input('a', 'k')
      expect((await sessions.append(bob, [once, once])).seqs).toEqual([1, 1])
      expect((await sessions.append(bob, [input('b', 'k'), input('c')])).seqs).toEqual([1, 2])
      expect(textsOf(await sessions.read(bob))).toEqual(['a', 'c'])
    })

    scenario('keeps the keys of two sessions apart', async (sessions) => {
      await sessions.append(bob, [input('a', 'k')])
      expect((await sessions.append(alice, [input('b', 'k')])).seqs).toEqual([1])
      expect(textsOf(await sessions.read(alice))).toEqual(['b'])
    })

    scenario('empties as messages take inputs or callers withdraw them', async (sessions) => {
      await sessions.append(bob, [input('a'), input('b'), input('c')])
      const { epoch } = await claimed(sessions)
      await sessions.append(bob, [started('b'), { ...message('b'), input: 'b' }], { epoch })
      expect(await sessions.head(bob)).toMatchObject({ inbox: ['a', 'c'], openRun: { runId: run, input: 'b' } })
      await sessions.append(bob, [{ type: 'input-withdrawn', input: 'a' }])
      await sessions.append(bob, [ended()], { epoch })
      const head = await sessions.head(bob)
      expect(head).toMatchObject({ inbox: ['c'] })
      expect(head).not.toHaveProperty('openRun')
    })

    scenario('lets an input be taken once', async (sessions) => {
      await sessions.append(bob, [input('a'), input('b')])
      const { epoch } = await claimed(sessions)
      await sessions.append(bob, [{ ...message('a'), input: 'a' }], { epoch })
      await sessions.append(bob, [{ type: 'input-withdrawn', input: 'b' }])
      for (const gone of ['a', 'b', 'never']) {
        const again = sessions.append(bob, [{ ...message('again'), input: gone }], { epoch })
        await expect(again).rejects.toSatisfy((error) => isOrraError(error, 'store.input-gone'))
      }
      expect(await sessions.read(bob)).toHaveLength(4)
    })

    scenario('writes a withdrawal only where there is something to withdraw', async (sessions) => {
      const withdrawal = { type: 'input-withdrawn', input: 'a' } as const
      expect((await sessions.append(bob, [withdrawal])).seqs).toEqual([0])
      expect(await sessions.head(bob)).toBeUndefined()
      await sessions.append(bob, [input('a')])
      const { epoch } = await claimed(sessions)
      await sessions.append(bob, [started('a'), { ...message('a'), input: 'a' }], { epoch })
      expect((await sessions.append(bob, [withdrawal])).seqs).toEqual([4])
      await sessions.append(bob, [ended()], { epoch })
      expect((await sessions.append(bob, [withdrawal, input('b')])).seqs).toEqual([0, 6])
    })
  })

  describe(`${name}: the lease`, () => {
    scenario('is one owner’s at a time, until it is released', async (sessions) => {
      const lease = await claimed(sessions, 'one')
      expect(await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeUndefined()
      expect(await sessions.claim(alice, { owner: 'two', ttlMs: 1000 })).toBeDefined()
      await lease.release()
      expect(await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeDefined()
    })

    scenario('comes with the head as it was taken', async (sessions) => {
      await sessions.append(bob, [input('a')])
      const { head, epoch } = await claimed(sessions)
      expect(head).toEqual(await sessions.head(bob))
      expect(head).toMatchObject({ epoch, length: 1, inbox: ['a'] })
    })

    scenario('runs out, unless it is renewed', async (sessions, { advance }) => {
      const lease = await claimed(sessions, 'one')
      advance(900)
      expect(await lease.renew()).toBe(true)
      advance(900)
      expect(await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeUndefined()
      advance(101)
      expect(await sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeDefined()
      expect(await lease.renew()).toBe(false)
    })

    scenario('fences whoever held it before', async (sessions, { advance }) => {
      const old = await claimed(sessions, 'one')
      advance(1001)
      const lease = await claimed(sessions, 'two')
      expect(lease.epoch).toBeGreaterThan(old.epoch)
      await expect(sessions.append(bob, [message('late')], { epoch: old.epoch })).rejects.toSatisfy(fenced)
      await old.release()
      expect(await sessions.claim(bob, { owner: 'three', ttlMs: 1000 })).toBeUndefined()
      await sessions.append(bob, [message('in time')], { epoch: lease.epoch })
      expect(textsOf(await sessions.read(bob))).toEqual(['in time'])
    })

    scenario('is needed for everything but inputs, withdrawals and metadata', async (sessions) => {
      await sessions.append(bob, [
        input('a'),
        { type: 'input-withdrawn', input: 'a' },
        { type: 'metadata', set: { title: 'T' } },
      ])
      for (const entry of [message('m'), started('a'), ended(), { type: 'tool-started', callId: 'c' } as const]) {
        await expect(sessions.append(bob, [entry])).rejects.toSatisfy(fenced)
      }
      expect(await sessions.read(bob)).toHaveLength(3)
    })

    scenario('goes to one of many who ask at once', async (sessions) => {
      const asking = Array.from({ length: 20 }, (_, index) => sessions.claim(bob, { owner: `${index}`, ttlMs: 1000 }))
      expect((await Promise.all(asking)).filter((lease) => lease !== undefined)).toHaveLength(1)
    })

    scenario('of a deleted session is worth nothing, even when the session is made anew', async (sessions) => {
      const old = await claimed(sessions, 'one')
      await sessions.append(bob, [message('a')], { epoch: old.epoch })
      const { id } = (await sessions.head(bob)) ?? {}
      await sessions.delete(bob)
      await expect(sessions.append(bob, [message('b')], { epoch: old.epoch })).rejects.toSatisfy(fenced)
      expect(await old.renew()).toBe(false)
      const lease = await claimed(sessions, 'two')
      expect(lease.epoch).toBeGreaterThan(old.epoch)
      expect(lease.head.id).not.toBe(id)
      await expect(sessions.append(bob, [message('c')], { epoch: old.epoch })).rejects.toSatisfy(fenced)
    })
  })

  describe(`${name}: metadata`, () => {
    scenario('is merged by name, and null removes', async (sessions) => {
      await sessions.append(bob, [{ type: 'metadata', set: { title: 'One', mode: { a: [1] } } }])
      await sessions.append(bob, [{ type: 'metadata', set: { title: 'Two', mode: null, more: false } }])
      expect((await sessions.head(bob))?.metadata).toEqual({ title: 'Two', more: false })
    })
  })

  describe(`${name}: many sessions`, () => {
    const hostile = [
      '../../etc/passwd',
      'a%3Ab',
      'a:b',
      'C:\\con',
      '.',
      "'; drop table sessions; --",
      'ünï 😀',
      '%',
      '*',
      'A',
      'a',
      ' ',
    ]

    scenario('keeps hostile names apart', async (sessions) => {
      for (const segment of hostile) await sessions.append(Namespace.of('t', segment), [input(segment)])
      for (const segment of hostile) expect(textsOf(await sessions.read(Namespace.of('t', segment)))).toEqual([segment])
      expect((await sessions.list()).items).toHaveLength(hostile.length)
    })

    scenario('ends at the borders of segments', async (sessions) => {
      for (const key of ['a', 'a:b', 'a:b:c', 'a:bc', 'ab', 'a%3Ab'])
        await sessions.append(Namespace.parse(key), [input(key)])
      const keys = async (within?: string) => {
        const page = await sessions.list(within === undefined ? {} : { within: Namespace.parse(within) })
        return page.items.map(({ namespace }) => namespace)
      }
      expect(await keys('a:b')).toEqual(['a:b', 'a:b:c'])
      expect(await keys('a')).toEqual(['a', 'a:b', 'a:b:c', 'a:bc'])
      expect(await keys()).toEqual(['a', 'a%3Ab', 'a:b', 'a:b:c', 'a:bc', 'ab'])
      expect(await sessions.delete(Namespace.parse('a:b'), { descendants: true })).toBe(2)
      expect(await keys()).toEqual(['a', 'a%3Ab', 'a:bc', 'ab'])
      expect(await sessions.delete(Namespace.parse('a'))).toBe(1)
      expect(await sessions.delete(Namespace.parse('nobody'))).toBe(0)
      expect(await keys()).toEqual(['a%3Ab', 'a:bc', 'ab'])
    })

    scenario('lists in pages that neither repeat nor skip', async (sessions) => {
      const keys = Array.from({ length: 25 }, (_, index) => `user:${String(index).padStart(2, '0')}`)
      for (const key of keys) await sessions.append(Namespace.parse(key), [input(key)])
      const seen: string[] = []
      for (let after: string | undefined; ; ) {
        const page = await sessions.list({ limit: 10, ...(after === undefined ? {} : { after }) })
        seen.push(...page.items.map(({ namespace }) => namespace))
        if (page.next === undefined) break
        after = page.next
      }
      expect(seen).toEqual(keys)
    })
  })

  if (!durable) return

  describe(`${name}: a restart`, () => {
    scenario('finds everything as it was', async (sessions, { reopen, store }) => {
      if (!reopen) throw new Error('A durable store is tried with "reopen"; else say { durable: false }.')
      const { epoch } = await claimed(sessions)
      await sessions.append(bob, [input('a', 'k'), { type: 'metadata', set: { title: 'T' } }])
      await sessions.append(bob, [started('k'), { ...message('a'), input: 'k' }], { epoch })
      const before = { head: await sessions.head(bob), entries: await sessions.read(bob) }
      await store[Symbol.asyncDispose]()

      await using again = await reopen()
      expect({ head: await again.sessions.head(bob), entries: await again.sessions.read(bob) }).toEqual(before)
      expect((await again.sessions.append(bob, [input('b', 'k')])).seqs).toEqual([1])
      await expect(again.sessions.append(bob, [message('m')], { epoch: epoch - 1 })).rejects.toSatisfy(fenced)
      expect(await again.sessions.claim(bob, { owner: 'new', ttlMs: 1000 })).toBeUndefined()
      await again.sessions.append(bob, [message('m')], { epoch })
    })
  })
}

/** Its key is the beginning of its text, unless another is given. */
function input(text: string, key = text.slice(0, 20)) {
  return { type: 'input', key, message: { role: 'user', content: [{ type: 'text', text }] } } as const satisfies Entry
}

function message(text: string) {
  return { type: 'message', message: { role: 'user', content: [{ type: 'text', text }] } } as const satisfies Entry
}

function started(key: string) {
  return { type: 'run-started', runId: run, input: key } as const satisfies Entry
}

function ended() {
  const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
  return { type: 'run-ended', runId: run, reason: 'completed', usage } as const satisfies Entry
}

async function claimed(sessions: SessionLog, owner = 'one') {
  const lease = await sessions.claim(bob, { owner, ttlMs: 1000 })
  if (!lease) throw new Error('The lease should have been free.')
  return lease
}

function fenced(error: unknown): boolean {
  return isOrraError(error, 'store.fenced')
}

function entriesOf(logged: readonly LoggedEntry[]): readonly Entry[] {
  return logged.map(({ entry }) => entry)
}

function textsOf(logged: readonly LoggedEntry[]): readonly string[] {
  return logged.flatMap(({ entry }) => {
    if (entry.type !== 'input' && entry.type !== 'message') return []
    return entry.message.content.flatMap((part) => (part.type === 'text' ? part.text : []))
  })
}
