import {
  createRuntime,
  type Entry,
  Namespace,
  type Provider,
  type SessionHead,
  type Store,
  type ToolResultPart,
} from '@orra/core'
import { isToBeApproved } from './crash-approver.ts'
import { SUMMARY_MODEL } from './crash-notes.ts'
import { PRICE } from './crash-tools.ts'

/** Summaries that were paid for and not written: one for each process that was killed. */
const MOST_LOST = 2

/** Throws unless what was done in a subtree is what its logs say was done: all of that, and no more than they do not know. */
export async function checkEffects(store: Store, within: Namespace, provider: Provider): Promise<void> {
  const logs: (readonly Entry[])[] = []
  for (const namespace of await sessionsOf(store, within)) {
    const log = (await store.sessions.read(namespace)).map(({ entry }) => entry)
    logs.push(log)
    const results = resultsIn(log)
    await checkRecords(store, namespace, results)
    await checkPayments(store, namespace, results)
    await checkApprovals(store, namespace, log)
  }
  await checkBooks(store, within, provider, logs)
}

async function sessionsOf({ sessions }: Store, within: Namespace): Promise<readonly Namespace[]> {
  const heads: SessionHead[] = []
  for (let after: { readonly after?: string } = {}; ; ) {
    const { items, next } = await sessions.list({ within, ...after })
    heads.push(...items)
    if (next === undefined) return heads.map(({ namespace }) => Namespace.parse(namespace))
    after = { after: next }
  }
}

function resultsIn(log: readonly Entry[]): readonly ToolResultPart[] {
  return log.flatMap((entry) =>
    entry.type === 'message' && entry.message.role === 'tool' ? entry.message.content : [],
  )
}

async function checkRecords(store: Store, namespace: Namespace, results: readonly ToolResultPart[]): Promise<void> {
  for (const tool of ['remember', 'pay', 'book', 'tear_down']) {
    const ids = await idsOf(store, namespace, tool)
    const told = results.filter(({ name }) => name === tool)
    const done = told.filter(({ isError }) => !isError)
    demand(
      done.every(({ callId }) => ids.includes(callId)),
      `what ${tool} did is not there`,
    )
    demand(ids.length <= told.length, `${tool} did more than it was asked to`)
  }
}

async function checkPayments(store: Store, namespace: Namespace, results: readonly ToolResultPart[]): Promise<void> {
  const { items } = await store.counters.list({ namespace })
  const used = items.reduce((sum, counter) => sum + counter.used, 0)
  const payments = results.filter(({ name }) => name === 'pay')
  const done = payments.filter(({ isError }) => !isError)
  demand(used >= PRICE * done.length, 'a payment is not counted')
  demand(used <= PRICE * payments.length, 'a payment is counted twice')
}

/** Nothing was done that was refused, and every answer is the one that was given. */
async function checkApprovals(store: Store, namespace: Namespace, log: readonly Entry[]): Promise<void> {
  const done = await idsOf(store, namespace, 'tear_down')
  const requests = log.flatMap((entry) => (entry.type === 'approval-requested' ? entry.request : []))
  for (const { callId, input } of requests) {
    const decisions = log.filter((entry) => entry.type === 'approval-decided' && entry.callId === callId)
    demand(decisions.length === 1, `of one call it was decided ${decisions.length} times`)
    const [decision] = decisions
    const approved = decision?.type === 'approval-decided' && decision.approved
    demand(approved === isToBeApproved(input), 'a decision is another than was said')
    demand(approved || !done.includes(callId), 'something was done that was refused')
  }
  const asked = new Set(requests.map(({ callId }) => callId))
  demand(
    done.every((callId) => asked.has(callId)),
    'something was done that nobody was asked about',
  )
}

/** Nobody is asked any more, and every run that has ended was counted once, with all its model calls; and every summary. */
async function checkBooks(
  store: Store,
  within: Namespace,
  provider: Provider,
  logs: readonly (readonly Entry[])[],
): Promise<void> {
  await using orra = createRuntime({ provider, store })
  for await (const { tool } of orra.approvals(within)) demand(false, `a call of ${tool} still waits for an approval`)
  const to = new Date()
  const from = new Date(to.getTime() - 24 * 60 * 60 * 1000)
  const { runs, models, cutOffCalls } = await orra.usage(within, { from, to })
  const entries = logs.flat()
  const ended = entries.filter(({ type }) => type === 'run-ended').length
  demand(runs === ended, `${ended} runs have ended and ${runs} are counted`)
  const replies = entries.filter((entry) => entry.type === 'message' && entry.usage !== undefined).length
  const { [SUMMARY_MODEL]: summarising, ...others } = models
  const calls = Object.values(others).reduce((sum, model) => sum + model.calls, 0) - cutOffCalls
  demand(calls === replies, `the model has replied ${replies} times and ${calls} are counted`)
  const written = entries.filter(({ type }) => type === 'compaction').length
  const lost = (summarising?.calls ?? 0) - written
  demand(lost >= 0 && lost <= MOST_LOST, `${written} summaries are there and ${lost} more are counted`)
}

async function idsOf(store: Store, namespace: Namespace, collection: string): Promise<readonly string[]> {
  const { items } = await store.records.list({ collection, namespace })
  return items.map(({ id }) => id)
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`The application's own check: ${otherwise}.`)
}
