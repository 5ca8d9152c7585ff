import { canNotify, type JsonObject, Namespace, type Notices, type Store } from '@orra/core'
import { expect } from 'vitest'
import { alice, bob } from './entries.ts'
import { longestNamespaces, unlike } from './hostile.ts'
import { numbers } from './pages.ts'
import type { Scenario, Tested } from './scenario.ts'

export function noticesOf(store: Store, { skip }: Tested): Notices {
  return canNotify(store) ? store.notices : skip('This store tells nobody; whoever waits must look.')
}

/** How long a notice may be on its way before it counts as lost. */
const ARRIVAL_MS = 10_000

/** Listens, and waits for as many notices as are asked for. */
export async function listening(notices: Notices, namespace: Namespace) {
  const heard: JsonObject[] = []
  let wake = () => {}
  const subscription = await notices.subscribe(namespace, (notice) => {
    heard.push(notice)
    wake()
  })
  const until = async (count: number) => {
    const late = AbortSignal.timeout(ARRIVAL_MS)
    while (heard.length < count) {
      await new Promise<void>((resolve, reject) => {
        wake = resolve
        late.onabort = () => reject(new Error(`Only ${heard.length} of ${count} notices have arrived.`))
      })
    }
    return heard
  }
  return { heard, until, stop: () => subscription[Symbol.asyncDispose]() }
}

/** What is told at once to whoever listens. */
export function noticeScenarios(scenario: Scenario): void {
  scenario('is heard by every listener, its publisher’s own included, once and in order', async (tested) => {
    const notices = noticesOf(tested.store, tested)
    const listeners = [await listening(notices, bob), await listening(notices, bob)]
    const sent = numbers(50).map((n) => ({ n, text: 'ünï 😀 \u0000 " \\', list: [{}, null] }))
    for (const notice of sent) notices.publish(bob, notice)
    for (const { until } of listeners) expect(await until(50)).toEqual(sent)
    for (const { stop } of listeners) await stop()
  })

  scenario('is heard by nobody who listens to another namespace, those above and below included', async (tested) => {
    const notices = noticesOf(tested.store, tested)
    const others = [alice, bob.parent ?? alice, bob.child('below'), Namespace.parse(`${bob.key}x`)]
    const listeners = await Promise.all(others.map((other) => listening(notices, other)))
    const own = await listening(notices, bob)
    notices.publish(bob, { to: 'bob' })
    await own.until(1)
    for (const other of others) notices.publish(other, { to: other.key })
    for (const [index, { until }] of listeners.entries()) {
      expect(await until(1)).toEqual([{ to: others[index]?.key }])
    }
    notices.publish(bob, { to: 'bob', again: true })
    expect(await own.until(2)).toEqual([{ to: 'bob' }, { to: 'bob', again: true }])
    for (const { stop } of [own, ...listeners]) await stop()
  })

  scenario('is not heard before a listener listens, nor after it stopped', async (tested) => {
    const notices = noticesOf(tested.store, tested)
    const stays = await listening(notices, bob)
    notices.publish(bob, { n: 1 })
    await stays.until(1)
    const leaves = await listening(notices, bob)
    notices.publish(bob, { n: 2 })
    await Promise.all([stays.until(2), leaves.until(1)])
    notices.publish(bob, { n: 3 })
    await leaves.stop()
    await leaves.stop()
    const whenItLeft = [...leaves.heard]
    notices.publish(bob, { n: 4 })
    expect(await stays.until(4)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }])
    expect(leaves.heard).toEqual(whenItLeft)
    await stays.stop()
    const again = await listening(notices, bob)
    notices.publish(bob, { n: 5 })
    expect(await again.until(1)).toEqual([{ n: 5 }])
    await again.stop()
  })

  scenario('is heard once for each time that a function listens', async (tested) => {
    const notices = noticesOf(tested.store, tested)
    const heard: JsonObject[] = []
    const listen = (notice: JsonObject) => {
      heard.push(notice)
    }
    const twice = [await notices.subscribe(bob, listen), await notices.subscribe(bob, listen)] as const
    const { until, stop } = await listening(notices, bob)
    notices.publish(bob, { n: 1 })
    await until(1)
    expect(heard).toEqual([{ n: 1 }, { n: 1 }])
    await twice[0][Symbol.asyncDispose]()
    notices.publish(bob, { n: 2 })
    await until(2)
    expect(heard).toEqual([{ n: 1 }, { n: 1 }, { n: 2 }])
    await twice[1][Symbol.asyncDispose]()
    await stop()
  })

  scenario('is heard though another listener throws', async (tested) => {
    const notices = noticesOf(tested.store, tested)
    const faulty = await notices.subscribe(bob, () => {
      throw new Error('A fault of the listener.')
    })
    const { until, stop } = await listening(notices, bob)
    for (const n of numbers(3)) notices.publish(bob, { n })
    expect(await until(3)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
    await faulty[Symbol.asyncDispose]()
    await stop()
  })

  scenario('is a copy for each listener', async (tested) => {
    const notices = noticesOf(tested.store, tested)
    const notice = { inner: { text: 'before' } }
    const vandal = await notices.subscribe(bob, ({ inner }) => {
      Object.assign(inner as object, { text: 'changed' })
    })
    const { until, stop } = await listening(notices, bob)
    notices.publish(bob, notice)
    notice.inner.text = 'after'
    expect(await until(1)).toEqual([{ inner: { text: 'before' } }])
    await vandal[Symbol.asyncDispose]()
    await stop()
  })

  scenario('may have 7,000 bytes, and be about the longest name', async (tested) => {
    const notices = noticesOf(tested.store, tested)
    for (const namespace of longestNamespaces) {
      const { until, stop } = await listening(notices, namespace)
      const notice = { text: `${unlike(2000)}${'x'.repeat(1000 - '{"text":""}'.length)}` }
      expect(Buffer.byteLength(JSON.stringify(notice))).toBe(7000)
      notices.publish(namespace, notice)
      expect(await until(1)).toEqual([notice])
      await stop()
    }
  })
}
