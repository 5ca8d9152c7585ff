import { expect } from 'vitest'
import { waitingFor } from './approvals.ts'
import { talked } from './compactions.ts'
import {
  bob,
  claimed,
  code,
  compaction,
  decided,
  ended,
  fenced,
  input,
  message,
  started,
  suspended,
  textsOf,
} from './entries.ts'
import { listening, noticesOf } from './notices.ts'
import { numbers } from './pages.ts'
import { reopened, type Scenario } from './scenario.ts'

const idle = { ifIdle: true }

/** What one store remembers of its last look may no longer be so: another has written since. */
export function twoStoreScenarios(scenario: Scenario): void {
  scenario('append in turn, and read what the other wrote', async (tested) => {
    await using other = await reopened(tested)
    for (const index of numbers(10)) {
      const { sessions } = index % 2 === 0 ? tested.store : other
      expect((await sessions.append(bob, [input(`${index}`)])).seqs).toEqual([index + 1])
    }
    expect((await tested.sessions.append(bob, [input('9'), input('0')])).seqs).toEqual([10, 1])
    for (const { sessions } of [tested.store, other]) {
      expect(textsOf(await sessions.read(bob, { after: 7 }))).toEqual(['7', '8', '9'])
      expect(await sessions.head(bob)).toMatchObject({ length: 10, inbox: numbers(10).map(String) })
    }
  })

  scenario('append at once, and each entry has a place of its own', async (tested) => {
    await using other = await reopened(tested)
    const appends = numbers(30).map((index) =>
      (index % 2 === 0 ? tested.store : other).sessions.append(bob, [input(`${index}`)]),
    )
    const seqs = (await Promise.all(appends)).flatMap((result) => result.seqs)
    expect(seqs.toSorted((a, b) => a - b)).toEqual(numbers(30).map((index) => index + 1))
  })

  scenario('fence each other', async (tested) => {
    const { sessions, advance } = tested
    await using other = await reopened(tested)
    const mine = await claimed(sessions)
    await sessions.append(bob, [message('a')], { epoch: mine.epoch })
    expect(await other.sessions.claim(bob, { owner: 'two', ttlMs: 1000 })).toBeUndefined()
    advance(1001)
    const theirs = await claimed(other.sessions, 'two')
    expect(theirs.epoch).toBeGreaterThan(mine.epoch)
    await expect(sessions.append(bob, [message('late')], { epoch: mine.epoch })).rejects.toSatisfy(fenced)
    expect(await mine.renew()).toBe(false)
    await mine.release()
    expect(await sessions.claim(bob, { owner: 'three', ttlMs: 1000 })).toBeUndefined()
    await other.sessions.append(bob, [message('b')], { epoch: theirs.epoch })
    // An epoch is no secret of the store that claimed it.
    await sessions.append(bob, [message('c')], { epoch: theirs.epoch })
    await theirs.release()
    expect((await claimed(sessions)).epoch).toBeGreaterThan(theirs.epoch)
    expect(textsOf(await sessions.read(bob))).toEqual(['a', 'b', 'c'])
  })

  scenario('refuse only for what is so now', async (tested) => {
    const { sessions } = tested
    await using other = await reopened(tested)
    await sessions.append(bob, [input('a')])
    await other.sessions.append(bob, [{ type: 'input-withdrawn', input: 'a' }])
    expect((await sessions.append(bob, [input('b')], idle)).seqs).toEqual([3])
    const { epoch } = await claimed(other.sessions)
    await other.sessions.append(bob, [started('b'), { ...message('b'), input: 'b' }, ended()], { epoch })
    expect((await sessions.append(bob, [input('c')], idle)).seqs).toEqual([7])
    await expect(other.sessions.append(bob, [input('d')], idle)).rejects.toSatisfy(code('session.busy'))

    const title = (set: string | null) => ({ type: 'metadata', set: { title: set } }) as const
    await sessions.append(bob, [title('One')])
    await other.sessions.append(bob, [title('Two')], { expect: { title: 'One' } })
    await sessions.append(bob, [title('Three')], { expect: { title: 'Two' } })
    const late = other.sessions.append(bob, [title('Four')], { expect: { title: 'Two' } })
    await expect(late).rejects.toSatisfy(code('store.conflict'))
  })

  scenario('decide once between them, and see at once what the other decided', async (tested) => {
    const { sessions } = tested
    await using other = await reopened(tested)
    const ids = numbers(10).map((index) => `call-${index}`)
    const { epoch, asked } = await waitingFor(sessions, ids)
    await sessions.append(bob, [suspended(asked.get('call-9') ?? 0)], { epoch })
    const deciding = ids.flatMap((id) => [
      sessions.append(bob, [decided(id, asked.get(id) ?? 0, true)]),
      other.sessions.append(bob, [decided(id, asked.get(id) ?? 0, false)]),
    ])
    const written = (await Promise.all(deciding)).map((result) => result.written)
    for (const index of numbers(10)) expect((written[2 * index] ?? 0) + (written[2 * index + 1] ?? 0)).toBe(1)
    for (const store of [tested.store, other]) {
      const { openRun } = (await store.sessions.head(bob)) ?? {}
      expect(openRun).not.toHaveProperty('approvals')
      expect(openRun).not.toHaveProperty('suspended')
    }
    expect(await sessions.append(bob, [suspended(asked.get('call-9') ?? 0)], { epoch })).toMatchObject({ written: 0 })
  })

  scenario('sum up once between them, and see at once what the other summed up', async (tested) => {
    const { sessions } = tested
    await using other = await reopened(tested)
    const id = await talked(sessions, ['a', 'b', 'c'])
    expect(await other.sessions.head(bob)).not.toHaveProperty('compaction')
    let seq = 12
    for (const after of [0, 4, 8]) {
      const entry = compaction(id, after + 4, after)
      const both = await Promise.all([sessions.append(bob, [entry]), other.sessions.append(bob, [entry])])
      expect(both.map(({ written }) => written).toSorted()).toEqual([0, 1])
      seq += 1
      for (const { head } of both) expect(head.compaction).toEqual({ seq, through: after + 4 })
      expect(await sessions.head(bob)).toEqual(await other.sessions.head(bob))
    }
    await other.sessions.delete(bob)
    expect(await sessions.append(bob, [compaction(id, 16, 12)])).toMatchObject({ seqs: [0], written: 0 })
  })

  scenario('notice that a session was deleted and made anew', async (tested) => {
    const { sessions } = tested
    await using other = await reopened(tested)
    const mine = await claimed(sessions)
    await sessions.append(bob, [input('a', 'k'), message('b')], { epoch: mine.epoch })
    await other.sessions.delete(bob)
    expect(await sessions.head(bob)).toBeUndefined()
    expect(await sessions.read(bob)).toEqual([])
    await other.sessions.append(bob, [input('anew')])
    await expect(sessions.append(bob, [message('c')], { epoch: mine.epoch })).rejects.toSatisfy(fenced)
    expect(await mine.renew()).toBe(false)
    expect((await sessions.append(bob, [input('c', 'k')])).seqs).toEqual([2])
    expect(textsOf(await sessions.read(bob))).toEqual(['anew', 'c'])
    expect((await sessions.list({ pending: true })).items).toEqual([await other.sessions.head(bob)])
  })

  scenario('share records and counters', async (tested) => {
    const { records, counters } = tested
    await using other = await reopened(tested)
    const key = { collection: 'memory', namespace: bob, id: 'one' }
    const first = await records.put(key, 1)
    const second = await other.records.put(key, 2, { version: first.version })
    await expect(records.put(key, 3, { version: first.version })).rejects.toSatisfy(code('store.conflict'))
    expect(await records.get(key)).toEqual(second)
    await other.records.delete(key)
    expect((await records.put(key, 3, { version: 0 })).version).toBeGreaterThan(second.version)

    const claim = { namespace: bob, counter: 'usd', window: 'all', amount: 1, limit: 20 }
    const asking = numbers(40).map((index) =>
      (index % 2 === 0 ? counters : other.counters).reserve([claim], { ttlMs: 1000 }),
    )
    const granted = (await Promise.all(asking)).filter((reservation) => reservation.granted)
    expect(granted).toHaveLength(20)
    const [one] = granted
    expect(one && (await other.counters.settle(one.id, [5]))).toBe(true)
    expect(one && (await counters.settle(one.id, [5]))).toBe(false)
    expect((await counters.list()).items).toMatchObject([{ used: 5, reserved: 19 }])
  })

  scenario('hear each other’s notices', async (tested) => {
    const own = noticesOf(tested.store, tested)
    await using second = await reopened(tested)
    const other = noticesOf(second, tested)
    const listeners = [await listening(own, bob), await listening(other, bob)]
    const sent = numbers(20).map((n) => ({ n }))
    for (const notice of sent) own.publish(bob, notice)
    for (const { until } of listeners) expect(await until(20)).toEqual(sent)
    other.publish(bob, { back: true })
    for (const { until } of listeners) expect(await until(21)).toEqual([...sent, { back: true }])
    for (const { stop } of listeners) await stop()
  })
}
