import {
  type ApprovalRequest,
  approvals,
  createRuntime,
  defineTool,
  type Entry,
  isOrraError,
  type LoggedEntry,
  memoryStore,
  Namespace,
  type Policies,
  type Provider,
  type Runtime,
  type Store,
  type ToolContext,
  toolCallsOf,
} from '@orra/core'
import type { Scheduler } from 'fast-check'
import { vi } from 'vitest'

export type ToolName = 'remove' | 'sync' | 'look' | 'ask'
export type PolicyMode = keyof typeof POLICIES
export type Mood = 'approves' | 'refuses' | 'does not know' | 'throws'

/** What a model says when it is called. Ids of calls are its own, or those that it has used before. */
export type Reply =
  | { readonly type: 'text' | 'failure' }
  | {
      readonly type: 'calls'
      readonly calls: readonly { readonly tool: ToolName; readonly id: number; readonly isOldId: boolean }[]
    }

/** What holds for a whole world. */
export interface WorldOptions {
  readonly replies: readonly Reply[]
  readonly suspend: boolean
  /** Only this principal decides, instead of whoever asks and those above. */
  readonly hasBoss: boolean
  /** Policies come when they are ready. */
  readonly isAsync: boolean
}

export const ROOT = Namespace.of('t')
export const BOSS = ROOT.child('boss')
export const SESSIONS: readonly Namespace[] = [ROOT.child('u1'), ROOT.child('u2')]

const START = 1_700_000_000_000
const EXPIRES_MS = 50_000
const MOST_STEPS = 50_000
const DENIED: ReadonlySet<string> = new Set(['remove', 'look'])
const ALWAYS: ReadonlySet<string> = new Set(['remove', 'sync'])

const SHALLOW = { limits: { spawnDepth: 2 } } as const
const POLICIES = {
  open: { t: SHALLOW },
  denied: { t: { ...SHALLOW, tools: { deny: [...DENIED] } } },
  raised: { t: SHALLOW, 't:*': { approval: { 'lo*': 'always' } } },
  unreachable: undefined,
} as const satisfies { readonly [mode: string]: Policies | undefined }

/**
 * A store, models, tools, approvers and policies whose every step a scheduler lets happen, a millisecond each. `wrong` is
 * what must not be: it is found out from the log as it stands when a tool begins.
 */
export class ApprovalWorld {
  readonly wrong: string[] = []
  mood: Mood = 'does not know'
  /** Hooks change the input of calls by this much. */
  shift = 0
  private readonly store: Store
  private readonly raw: Store
  private readonly scheduler: Scheduler
  private readonly options: WorldOptions
  private readonly history: { readonly at: number; readonly mode: PolicyMode }[] = [{ at: START, mode: 'open' }]
  private readonly hookApproved = new Set<string>()
  private readonly done = new Set<string>()
  private readonly decided = new Set<string>()
  private readonly checks: Promise<void>[] = []
  private replied = 0
  private steps = 0

  constructor(scheduler: Scheduler, options: WorldOptions) {
    this.scheduler = scheduler
    this.options = options
    vi.setSystemTime(START)
    this.raw = memoryStore({ now: () => Date.now() })
    const { sessions, records } = this.raw
    this.store = {
      ...this.raw,
      sessions: {
        ...sessions,
        append: this.slowly('append', sessions.append),
        read: this.slowly('read', sessions.read),
        head: this.slowly('head', sessions.head),
        claim: this.slowly('claim', sessions.claim),
      },
      records: {
        ...records,
        put: this.slowly('put', records.put),
        delete: this.slowly('delete', records.delete),
        list: this.slowly('list', records.list),
      },
    }
  }

  step(name: string): Promise<unknown> {
    this.steps += 1
    if (this.steps > MOST_STEPS) throw new Error('It goes round and round.')
    return this.scheduler.schedule(Promise.resolve(), name).then(() => void vi.advanceTimersByTime(1))
  }

  /** Time passes, and no process has noticed yet: what they lease runs out. */
  pass(ms: number): void {
    vi.setSystemTime(Date.now() + ms)
  }

  /** Time passes as long as something is waited for, so that nobody naps for ever. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    const over = () => {
      isOver = true
    }
    work.then(over, over)
    while (!isOver) {
      await this.step('time passes')
      vi.advanceTimersByTime(10)
    }
    return work
  }

  setPolicies(mode: PolicyMode): void {
    this.history.push({ at: Date.now(), mode })
  }

  mayDecide(by: Namespace, asking: Namespace): boolean {
    return this.options.hasBoss ? BOSS.contains(by) : by.contains(asking)
  }

  /** Somebody was told that their decision counts. */
  noteDecision({ runId, callId, requestedAt }: ApprovalRequest): void {
    const once = `${runId} ${callId} ${requestedAt}`
    if (this.decided.has(once)) this.wrong.push('two decisions of one request')
    this.decided.add(once)
  }

  /** A process. */
  open(): Runtime {
    const { suspend, hasBoss } = this.options
    return createRuntime({
      provider: this.provider(),
      store: this.store,
      maxParallelTools: 2,
      approvals: { suspend, expiresMs: EXPIRES_MS, ...(hasBoss ? { deciders: () => [BOSS.key] } : {}) },
      policies: { policiesFor: () => this.policies() },
      tools: [
        this.tool('remove', {}),
        this.tool('sync', { idempotent: true }),
        this.tool('look', { readOnly: true }),
        defineTool({
          name: 'ask',
          description: 'Asks.',
          idempotent: true,
          input: INPUT,
          execute: async (_, { spawn }) => (await spawn({ input: 'Do it', maxTurns: 1 })).reason,
        }),
      ],
      hooks: [
        {
          beforeToolCall: async ({ input, tool }) => {
            const { shift } = this
            await this.step('hook')
            return shift === 0 || tool === 'ask'
              ? undefined
              : { input: { id: Number((input as { id: number }).id) + shift } }
          },
        },
        approvals({ ask: (request) => this.ask(request) }),
      ],
    })
  }

  /** All checks that were begun, and the order of the logs as they stand. */
  async check(orra: Runtime): Promise<void> {
    await Promise.all(this.checks)
    for (const { namespace } of await this.heads()) await this.checkOrder(orra, Namespace.parse(namespace))
  }

  /** Sessions in which something is open and no request below them is listed, so that nobody can end it. */
  async stuck(orra: Runtime): Promise<readonly string[]> {
    const listed: string[] = []
    for await (const { namespace } of orra.approvals(ROOT)) listed.push(namespace)
    const open = (await this.heads()).filter(({ inbox, openRun }) => inbox.length > 0 || openRun)
    return open
      .map(({ namespace }) => namespace)
      .filter((key) => !listed.some((waiting) => waiting === key || waiting.startsWith(`${key}:`)))
  }

  async isIdle(): Promise<boolean> {
    return (await this.heads()).every(({ inbox, openRun }) => inbox.length === 0 && !openRun)
  }

  private async heads() {
    return (await this.raw.sessions.list({ within: ROOT, limit: 1000 })).items
  }

  private async checkOrder(orra: Runtime, namespace: Namespace): Promise<void> {
    const lines: string[] = []
    for await (const line of orra.session(namespace).export()) lines.push(line)
    const elsewhere = createRuntime({ provider: this.provider() })
    await elsewhere
      .session(namespace)
      .import(lines)
      .catch((error: unknown) => this.wrong.push(`out of order: ${error}`))
  }

  private slowly<Args extends unknown[], T>(name: string, work: (...args: Args) => Promise<T>) {
    return async (...args: Args): Promise<T> => {
      await this.step(`${name} begins`)
      const result = await work(...args)
      await this.step(`${name} ends`)
      return result
    }
  }

  private policies(): Policies | Promise<Policies> {
    const { mode } = this.history.at(-1) as { readonly mode: PolicyMode }
    const now = () => {
      const policies = POLICIES[mode]
      if (!policies) throw new Error('The policies are gone.')
      return policies
    }
    return this.options.isAsync ? this.step('policies').then(now) : now()
  }

  private async ask({ runId, callId, requestedAt }: ApprovalRequest) {
    const { mood } = this
    for (let index = 0; index < 15; index += 1) await this.step('an approver thinks')
    if (mood === 'throws') throw new Error('The approver failed.')
    if (mood === 'does not know') return undefined
    if (mood === 'approves') this.hookApproved.add(`${runId} ${callId} ${requestedAt}`)
    return { approved: mood === 'approves' }
  }

  private tool(name: ToolName, hints: { readonly idempotent?: true; readonly readOnly?: true }) {
    return defineTool({
      name,
      description: name,
      input: INPUT,
      ...hints,
      approval: ALWAYS.has(name) ? 'always' : 'never',
      execute: async (input, context) => {
        // Both as they are at this moment.
        const now = Date.now()
        const log = this.raw.sessions.read(context.namespace, { limit: 100_000 })
        this.checks.push(log.then((entries) => this.checkCall(name, input, context, entries, now)))
        await this.step(name)
        return 'done'
      },
    })
  }

  /** Whether a tool may run, by what its log and the policies have said until now. */
  private checkCall(
    tool: ToolName,
    input: object,
    { namespace, runId, callId }: ToolContext,
    entries: readonly LoggedEntry[],
    now: number,
  ): void {
    const wrong = this.problemsOf(tool, input, { namespace, runId, callId }, entries, now)
    this.wrong.push(...wrong.map((problem) => `${tool} ${problem}`))
  }

  private problemsOf(
    tool: ToolName,
    input: object,
    { namespace, runId, callId }: Pick<ToolContext, 'namespace' | 'runId' | 'callId'>,
    entries: readonly LoggedEntry[],
    now: number,
  ): readonly string[] {
    const place = entries.findLastIndex(({ entry }) => callsOf(entry).some((call) => call.callId === callId))
    const reply = entries[place]
    // A session that was deleted in the meantime says nothing of who may do what.
    if (!entries.some(({ entry }) => entry.type === 'run-started' && entry.runId === runId)) return []
    if (!reply) return ['was asked for by nobody']
    const later = entries.slice(place)
    const requests = later.filter(({ entry }) => entry.type === 'approval-requested' && entry.request.callId === callId)
    const decisions = later.filter(({ entry }) => entry.type === 'approval-decided' && entry.callId === callId)
    const wrong: string[] = []
    // Another process may have taken over what may be done twice, or may have said that nobody knows what came of it.
    if (tool === 'remove' && isDoneIn(later, callId)) wrong.push('was done before')
    if (requests.length > 1 || decisions.length > 1) wrong.push('was asked for or decided of twice')

    const from = decisions[0]?.at ?? reply.at
    const isDenied = (mode: PolicyMode) => mode === 'unreachable' || (mode === 'denied' && DENIED.has(tool))
    if (this.modesIn(from, now).every(isDenied)) wrong.push('was denied by a policy')

    const isNeeded =
      ALWAYS.has(tool) || (tool === 'look' && this.modesIn(reply.at, now).every((mode) => mode === 'raised'))
    const [request, decision] = [requests[0]?.entry, decisions[0]?.entry]
    if (!request && !isNeeded) return wrong
    if (request?.type !== 'approval-requested') return [...wrong, 'needs an approval that nobody was asked for']
    if (decision?.type !== 'approval-decided') return [...wrong, 'was not decided of']
    const asked = request.request
    const { approved, by, asked: of } = decision
    if (!approved) wrong.push('was refused')
    if (of !== requests[0]?.seq) wrong.push('was approved by a decision of another call')
    if (asked.tool !== tool || asked.runId !== runId || asked.namespace !== namespace.key)
      wrong.push('was approved as another')
    if (JSON.stringify(asked.input) !== JSON.stringify(input)) wrong.push('runs with another input than was approved')
    if (by === undefined && !this.hookApproved.has(`${runId} ${callId} ${asked.requestedAt}`))
      wrong.push('was approved by nobody')
    if (by !== undefined && !this.mayDecide(Namespace.parse(by), namespace)) wrong.push(`was approved by ${by}`)
    if (by !== undefined && from >= asked.expiresAt) wrong.push('was approved too late')
    const once = `${runId} ${of}`
    if (tool === 'remove' && this.done.has(once)) wrong.push('ran twice for one approval')
    this.done.add(once)
    return wrong
  }

  /** The modes that policies had at some time of an interval. */
  private modesIn(from: number, to: number): readonly PolicyMode[] {
    const { history } = this
    return history
      .filter(({ at }, index) => at <= to && (history[index + 1]?.at ?? Number.POSITIVE_INFINITY) >= from)
      .map(({ mode }) => mode)
  }

  private provider(): Provider {
    const world = this
    return {
      name: 'model',
      model: 'model-1',
      async *stream() {
        await world.step('model begins')
        const { replies } = world.options
        const made = replies[world.replied++ % replies.length] as Reply
        if (made.type === 'failure') throw new Error('The model failed.')
        yield { type: 'text-delta', text: 'Hm.' }
        await world.step('model ends')
        const calls = made.type === 'calls' ? made.calls : []
        const parts = calls.map(({ tool, id, isOldId }) => {
          const callId = isOldId ? `old-${id}` : crypto.randomUUID()
          return { type: 'tool-call', callId, name: tool, input: { id } } as const
        })
        yield {
          type: 'finish',
          message: { role: 'assistant', content: [{ type: 'text', text: 'Hm.' }, ...parts] },
          stopReason: parts.length > 0 ? 'tool-calls' : 'stop',
          usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
          model: 'model-1',
        }
      },
    }
  }
}

const INPUT = { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] } as const

function callsOf(entry: Entry) {
  return entry.type === 'message' && entry.message.role === 'assistant' ? toolCallsOf(entry.message) : []
}

function isDoneIn(entries: readonly LoggedEntry[], callId: string): boolean {
  return entries.some(
    ({ entry }) =>
      entry.type === 'message' &&
      entry.message.role === 'tool' &&
      entry.message.content.some((part) => part.callId === callId && !part.isError),
  )
}

/** Failures that are part of the game. */
export function isExpected(error: unknown): boolean {
  const codes = [
    'unknown',
    'runtime.closed',
    'session.deleted',
    'run.failed',
    'session.busy',
    'policy.unreachable',
  ] as const
  return error instanceof DOMException || isOrraError(error, ...codes)
}
