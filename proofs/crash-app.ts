// The application that `pnpm crash` kills: two users at once, with tools of every kind, a message that joins a run and one
// that interrupts it. What the model says and what is checked depends on nothing but what was said before.
import { setTimeout as delay } from 'node:timers/promises'
import type { CrashApp } from '@orra/conformance'
import { Namespace, type Runtime, type Store, type ToolResultPart } from '@orra/core'
import { provider } from './crash-model.ts'
import { openPlace } from './crash-stores.ts'
import { crashTools, PRICE } from './crash-tools.ts'

const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
const alice = Namespace.of('tenant', 'acme', 'user', 'alice')

const app: CrashApp = {
  openStore: openPlace,
  options: (store) => ({ provider, tools: crashTools(store), instructions: 'You keep the rooms of a house.' }),
  async converse(orra) {
    await Promise.all([talkWithBob(orra), talkWithAlice(orra)])
  },
  async check(store) {
    for (const namespace of [bob, alice]) await checkEffects(store, namespace)
  },
}
export default app

async function talkWithBob(orra: Runtime): Promise<void> {
  await orra.run(bob, 'arrange', { key: 'bob-1' })
  const waiting = orra.run(bob, 'wait', { key: 'bob-2' })
  await untilCalled(orra, bob, 'wait_for_word')
  await orra.submit(bob, 'steer', { key: 'bob-3', whenBusy: 'steer' })
  await waiting
}

async function talkWithAlice(orra: Runtime): Promise<void> {
  await orra.submit(alice, 'pay', { key: 'alice-1' })
  const dawdling = orra.run(alice, 'dawdle', { key: 'alice-2' })
  await untilCalled(orra, alice, 'dawdle')
  await orra.run(alice, 'stop', { key: 'alice-3', whenBusy: 'interrupt' })
  await dawdling
}

/** Waits until the model has asked for this tool, in whatever process that was. */
async function untilCalled(orra: Runtime, namespace: Namespace, tool: string): Promise<void> {
  for (;;) {
    const messages = await orra.session(namespace).messages()
    const parts = messages.flatMap((message) => (message.role === 'assistant' ? message.content : []))
    if (parts.some((part) => part.type === 'tool-call' && part.name === tool)) return
    await delay(5)
  }
}

/** What was done is what the log says was done: all of that, and no more than what it does not know. */
async function checkEffects(store: Store, namespace: Namespace): Promise<void> {
  const logged = await store.sessions.read(namespace)
  const results = logged.flatMap(({ entry }) =>
    entry.type === 'message' && entry.message.role === 'tool' ? entry.message.content : [],
  )
  for (const tool of ['remember', 'pay', 'book']) {
    const { items } = await store.records.list({ collection: tool, namespace })
    const told = results.filter(({ name }) => name === tool)
    const done = told.filter(({ isError }) => !isError)
    const ids = items.map(({ id }) => id)
    demand(
      done.every(({ callId }) => ids.includes(callId)),
      `what ${tool} did is not there`,
    )
    demand(items.length <= told.length, `${tool} did more than it was asked to`)
  }
  await checkPayments(store, namespace, results)
}

async function checkPayments(store: Store, namespace: Namespace, results: readonly ToolResultPart[]): Promise<void> {
  const { items } = await store.counters.list({ namespace })
  const used = items.reduce((sum, counter) => sum + counter.used, 0)
  const payments = results.filter(({ name }) => name === 'pay')
  const done = payments.filter(({ isError }) => !isError)
  demand(used >= PRICE * done.length, 'a payment is not counted')
  demand(used <= PRICE * payments.length, 'a payment is counted twice')
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`The application's own check: ${otherwise}.`)
}
