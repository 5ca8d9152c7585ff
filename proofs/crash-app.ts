// The application that `pnpm crash` kills: five users at once, with tools of every kind, a message that joins a run and one
// that interrupts it, calls that somebody must approve, sub-agents whose calls somebody must approve, and a conversation that
// outgrows its window. What the model says and what is checked depends on nothing but what was said before.
import { setTimeout as delay } from 'node:timers/promises'
import type { CrashApp } from '@orra/conformance'
import { Namespace, type Runtime } from '@orra/core'
import { decideAll } from './crash-approver.ts'
import { checkEffects } from './crash-check.ts'
import { provider } from './crash-model.ts'
import { checkNotes, NOTES_WINDOW, SUMMARY_MODEL, talkOfNotes } from './crash-notes.ts'
import { openPlace } from './crash-stores.ts'
import { crashTools } from './crash-tools.ts'

const acme = Namespace.of('tenant', 'acme')
const bob = acme.child('user', 'bob')
const alice = acme.child('user', 'alice')
const carol = acme.child('user', 'carol')
const dave = acme.child('user', 'dave')
const erin = acme.child('user', 'erin')

const app: CrashApp = {
  openStore: openPlace,
  options: (store) => ({
    provider,
    tools: crashTools(store),
    instructions: 'You keep the rooms of a house.',
    approvals: { suspend: true },
    context: { ...NOTES_WINDOW, strategies: [{ type: 'compact', model: SUMMARY_MODEL }] },
  }),
  async converse(orra) {
    const talks = [talkWithBob(orra), talkWithAlice(orra), talkWithCarol(orra), talkWithDave(orra)]
    await Promise.all([...talks, talkOfNotes(orra, erin)])
  },
  async check(store) {
    await checkEffects(store, acme, provider)
    await checkNotes(store, erin)
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

/** She says yes and no once her run is suspended, and then yes at once. */
async function talkWithCarol(orra: Runtime): Promise<void> {
  await orra.run(carol, 'clear out', { key: 'carol-1' })
  await decideAll(orra, carol, true)
  await orra.submit(carol, 'clear the green one', { key: 'carol-2' })
  await decideAll(orra, carol, false)
}

/** Two sub-agents ask him, and he says yes to one and no to the other. */
async function talkWithDave(orra: Runtime): Promise<void> {
  await orra.submit(dave, 'have it cleared out', { key: 'dave-1' })
  await decideAll(orra, dave, true)
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
