import { createHash } from 'node:crypto'
import { linkAbort, onAbort, pause, untilAborted } from '../abort.ts'
import { TASK_AGENT } from '../agents/profile.ts'
import type { OpenCall, OpenRun } from '../log/conversation.ts'
import { toUserMessage } from '../message.ts'
import type { RunResult } from '../run-event.ts'
import type { Spawn, SpawnWork } from '../spawn.ts'
import { canGoOn, type ReadyTool } from '../tool.ts'
import { sayLive } from './live-notice.ts'
import type { ChildRun, RunScope } from './run-scope.ts'
import { checkWork, lineageOf, permit, settingsOf } from './spawn-terms.ts'

/** Thrown through a tool whose call waits for something that others say; the call is then made again. */
export const CALL_WAITS = Symbol('the call waits')

/** How often a tool that cannot be called again looks whether its sub-agent goes on, in milliseconds. */
const LOOK_MS = 1000

/** The sub-agents that one tool call begins. */
export interface Spawner {
  readonly spawn: Spawn
  /**
   * The tool is done. Where a sub-agent waits for what others say, so does the call, whatever the tool has made of that: it
   * throws `CALL_WAITS` once the other sub-agents are done, too. Else those that are still at work are stopped.
   */
  end(): Promise<void>
}

/** Sub-agents are told apart by what they are asked, and those that are asked the same by their order, so that each is found again. */
export function openSpawner(
  scope: RunScope,
  run: OpenRun,
  open: OpenCall,
  tool: ReadyTool,
  signal: AbortSignal,
): Spawner {
  const asked = new Map<string, number>()
  const working = new Set<Promise<unknown>>()
  const over = linkAbort(signal)
  let waits = false

  async function begin(work: SpawnWork, place: string): Promise<RunResult> {
    over.signal.throwIfAborted()
    const { agent = TASK_AGENT } = work
    const lineage = lineageOf(scope, run, open, agent)
    const rules = await scope.services.gate.at(scope.namespace, over.signal)
    permit(scope, agent, lineage, rules)
    const { autoApprove: _, ...metadata } = scope.log.conversation.metadata
    const child: Child = {
      namespace: scope.namespace.child('agent', agent, place),
      metadata,
      entry: {
        ...{ type: 'input', key: place, message: toUserMessage(work.input), spawnedBy: lineage },
        settings: settingsOf(scope, run, work, rules),
      },
    }
    for (;;) {
      const result = await answerOf(scope, child, { callId: open.call.callId, agent }, over.signal)
      if (result.reason !== 'suspended') return result
      if (canGoOn(tool)) {
        waits = true
        throw CALL_WAITS
      }
      await untilWoken(scope, child, over.signal)
    }
  }

  return {
    // Not async: several that are begun at once have the order of their calls.
    spawn(work) {
      let begun: Promise<RunResult>
      try {
        checkWork(work)
        const key = JSON.stringify(work)
        const nth = (asked.get(key) ?? 0) + 1
        asked.set(key, nth)
        begun = begin(work, placeOf(scope, open, key, nth))
      } catch (error) {
        begun = Promise.reject(error)
      }
      working.add(begun)
      const done = () => void working.delete(begun)
      begun.then(done, done)
      return begun
    },
    async end() {
      using _ = over
      const isOver = new DOMException('The tool call that began it is over.', 'AbortError')
      if (!waits || signal.aborted) return over.abort(isOver)
      await untilAborted(Promise.allSettled(working), signal)
      over.abort(isOver)
      throw CALL_WAITS
    },
  }
}

type Child = Omit<ChildRun, 'signal'>

/** A sub-agent is left when its call is; but when its caller loses the session, it goes on for whoever takes that up. */
async function answerOf(
  scope: RunScope,
  child: Child,
  { callId, agent }: { readonly callId: string; readonly agent: string },
  signal: AbortSignal,
): Promise<RunResult> {
  const left = new AbortController()
  using _ = onAbort(signal, () => {
    if (!scope.lease.signal.aborted) left.abort(signal.reason)
  })
  const { key } = child.namespace
  const running = scope.runChild({ ...child, signal: left.signal }, (event) =>
    scope.emit({ type: 'agent-event', callId, agent, namespace: key, event }),
  )
  return await untilAborted(running, signal)
}

/** Until a suspended sub-agent may go on. One that is left meanwhile is not wanted any more. */
async function untilWoken(
  { services, lease, rest }: RunScope,
  { namespace, entry }: Child,
  signal: AbortSignal,
): Promise<void> {
  const { sessions } = services.store
  using _ = rest()
  for (;;) {
    await pause(LOOK_MS, signal)
    if (signal.aborted && !lease.signal.aborted) {
      await sessions.append(namespace, [{ type: 'input-withdrawn', input: entry.key }])
      sayLive(services.notices, namespace, { type: 'changed' })
    }
    signal.throwIfAborted()
    const { suspended, approvals = [] } = (await sessions.head(namespace, { signal }))?.openRun ?? {}
    if (!suspended || approvals.some(({ expiresAt }) => expiresAt <= Date.now())) return
  }
}

/** Names the sub-agent: the same for the same call and the same work, and for no other call of the session. */
function placeOf({ runId }: RunScope, { call, seq }: OpenCall, work: string, nth: number): string {
  return createHash('sha256')
    .update(JSON.stringify([runId, seq, call.callId, work, nth]))
    .digest('base64url')
    .slice(0, 22)
}
