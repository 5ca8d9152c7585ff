import { setTimeout as pause } from 'node:timers/promises'
import { isOrraError, Namespace, type Page, type RunResult } from '@orra/core'
import { collect } from './isolation-calls.ts'
import { shortened, textOf } from './isolation-lookout.ts'
import { ownersOf, type Tenant } from './isolation-tenant.ts'
import { knownOf, type World } from './isolation-world.ts'

/** How often what is on its way to an end is waited for, and how long each time, in milliseconds. */
const LOOKS = 200
const LOOK_MS = 5

/** Amounts that nobody comes to. */
const FAR = 1_000_000

/** What may still be decided anew: a sub-agent's caller asks again. */
const MOST_DECISIONS = 40

/** Everything of a tenant, once nothing changes it any more. */
export async function snapshot({ orra, lookout }: World, tenant: Tenant): Promise<readonly string[]> {
  const read = () => lookout.as(tenant, 'a look at who rests', () => collect(orra.export(tenant.root)))
  let lines = await read()
  for (let look = 0; look < LOOKS; look += 1) {
    await pause(look === 0 ? 0 : LOOK_MS)
    const again = await read()
    if (differences(lines, again).length === 0) break
    lines = again
  }
  lookout.see(tenant, 'an export', lines)
  return lines
}

/** What was there and is not, and what is there and was not. Counters may go when their time is over. */
export function differences(before: readonly string[], after: readonly string[]): readonly string[] {
  const [was, is] = [new Set(before), new Set(after)]
  const gone = before.filter((line) => !is.has(line) && !isOver(line)).map((line) => `gone: ${line}`)
  return [...gone, ...after.filter((line) => !was.has(line)).map((line) => `new: ${line}`)]
}

function isOver(line: string): boolean {
  const { type, endsAt } = JSON.parse(line) as { readonly type: string; readonly endsAt?: number }
  return type === 'counter' && endsAt !== undefined && endsAt <= Date.now()
}

/** Decides what waits, and finishes what is open, of everybody. */
export async function settle({ orra, lookout, tenants }: World): Promise<void> {
  for (const tenant of tenants) {
    const { root } = tenant
    await lookout.as(tenant, 'settling', async () => {
      for (let round = 0; round < MOST_DECISIONS; round += 1) {
        const waiting = await collect(orra.approvals(root))
        for (const { namespace, callId } of waiting) {
          const decision = { approved: round % 2 === 0, by: root }
          await orra.decide(Namespace.parse(namespace), callId, decision).catch(() => {})
        }
        await orra.recover({ within: root, untilIdle: true, pollMs: 5, signal: AbortSignal.timeout(20_000) })
        if (waiting.length === 0) return
      }
    })
  }
}

/** Has everything summed up of those who cut nothing off, and so waits for what is being summed up. */
async function sumUp({ orra, store, lookout }: World, tenant: Tenant): Promise<void> {
  await lookout.as(tenant, 'summing up', async () => {
    for await (const { namespace } of pages((after) => store.sessions.list({ within: tenant.root, ...after }))) {
      await orra.compact(Namespace.parse(namespace)).catch(() => {})
    }
  })
}

/** Of steady tenants, what `usage` and counters say is what the model itself has counted. */
export async function checkSpent(world: World, from: Date): Promise<void> {
  const { orra, store, lookout, tenants } = world
  for (const tenant of tenants.filter(({ isSteady }) => isSteady)) {
    const { root, index, secret } = tenant
    await sumUp(world, tenant)
    const { calls, inputTokens, outputTokens } = knownOf(world, tenant).spent
    const demand = (what: string, found: number, spent: number) => {
      if (found !== spent) lookout.find('counted', what, `tenant ${index} spent ${spent}, and it says ${found}`)
    }
    const { usage, models } = await lookout.as(tenant, 'usage', () => orra.usage(root, { from, to: new Date() }))
    demand('usage: input', usage.inputTokens, inputTokens)
    demand('usage: output', usage.outputTokens, outputTokens)
    demand('usage: calls', models[`model of ${secret}`]?.calls ?? 0, calls)
    for (const { counter, used, reserved } of (await store.counters.list({ within: root })).items) {
      if (counter === 'tokens') demand('the counter of tokens', used, inputTokens + outputTokens)
      demand(`what is reserved of ${counter}`, reserved, 0)
    }
  }
}

/** What is refused because of a limit is refused because of the tenant's own, and not before that can have been reached. */
export function checkRefused(world: World, tenant: Tenant, came: unknown): void {
  const { lookout } = world
  const { runsPerMonth = 0, tokensPerMonth = FAR, usdPerMonth = FAR } = tenant.policy.limits ?? {}
  if (isOrraError(came, 'limit.reached')) {
    const { namespace } = came.details
    const { sent } = knownOf(world, tenant)
    if (!tenant.root.contains(Namespace.parse(namespace))) {
      lookout.find('counted', 'a refusal', `tenant ${tenant.index} is held to the limit of ${shortened(namespace)}`)
    }
    if (sent <= runsPerMonth) {
      lookout.find(
        'counted',
        'a refusal',
        `tenant ${tenant.index} may send ${runsPerMonth} messages, and has sent ${sent}`,
      )
    }
  }
  const { reason, denial } = (came ?? {}) as Partial<RunResult>
  if (reason === 'limit' && denial?.endsWith('is reached.') && tokensPerMonth >= FAR && usdPerMonth >= FAR) {
    lookout.find('counted', 'a refusal', `tenant ${tenant.index} has no limit that could be reached: ${denial}`)
  }
}

/** Everything in the store is somebody's, and of nobody else is anything in it. */
export async function checkApart({ store, lookout, tenants }: World): Promise<void> {
  const check = (what: string, key: string, value: unknown) => {
    const namespace = Namespace.parse(key)
    const owner = tenants.find(({ root }) => root.contains(namespace))
    if (!owner) return lookout.find('changed', what, `there is something of ${shortened(key)}, which is nobody's`)
    const found = [...ownersOf(textOf(value))].filter((index) => index !== owner.index)
    if (found.length > 0) lookout.find('seen', what, `${shortened(key)} holds something of tenants ${found}`)
  }
  for await (const head of pages((after) => store.sessions.list(after))) {
    check('a session', head.namespace, head)
    for (let after = 0; ; ) {
      const entries = await store.sessions.read(Namespace.parse(head.namespace), { after })
      if (entries.length === 0) break
      check('a log', head.namespace, entries)
      after = entries.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER
    }
  }
  for await (const record of pages((after) => store.records.list(after))) check('a record', record.namespace, record)
  for await (const counter of pages((after) => store.counters.list(after)))
    check('a counter', counter.namespace, counter)
}

async function* pages<T>(read: (place: { readonly after?: string }) => Promise<Page<T>>): AsyncGenerator<T> {
  for (let place: { readonly after?: string } = {}; ; ) {
    const { items, next } = await read(place)
    yield* items
    if (next === undefined) return
    place = { after: next }
  }
}
