import { untilAborted } from '../abort.ts'
import { checkDeciders } from '../approval/approval-options.ts'
import { inputHash } from '../approval/input-hash.ts'
import { expiry, noteRequest } from '../approval/waiting-list.ts'
import type { ApprovalLevel } from '../approval-level.ts'
import { neededApproval } from '../gate/needed-approval.ts'
import type { Rules } from '../gate/rules.ts'
import type { JsonValue } from '../json.ts'
import type { OpenCall } from '../log/conversation.ts'
import type { ApprovalDecision, ApprovalRequest } from '../store/approval-request.ts'
import type { ApprovalDecidedEntry } from '../store/entry.ts'
import { LONGEST_TIMEOUT_MS, type ReadyTool } from '../tool.ts'
import { callersOf, rootOf } from './caller.ts'
import { hookBase, type RunScope } from './run-scope.ts'

/** How it stands with a call that may need an approval. */
export type Standing =
  | { readonly type: 'approved' }
  | { readonly type: 'refused'; readonly reason: string }
  /** Nobody has decided yet. */
  | { readonly type: 'waiting' }

/** A call about to be done: `input` as the hooks have left it, `value` as the tool gets it. */
export interface CheckedCall {
  readonly tool: ReadyTool
  readonly open: OpenCall
  readonly input: JsonValue
  readonly value: unknown
}

/** How much of an approval a call needs, and what asks for it. */
interface Need<Level extends ApprovalLevel = ApprovalLevel> {
  readonly level: Level
  readonly rule: string
}

const APPROVED: Standing = { type: 'approved' }
const WAITING: Standing = { type: 'waiting' }

/** Has a call approved, where it needs that: by what the log says, by a hook, or later by `decide`. */
export async function approveCall(scope: RunScope, call: CheckedCall, rules: Rules): Promise<Standing> {
  const { open } = call
  const { runId } = scope
  const hash = () => inputHash([runId, call.tool.name, call.input])
  if (open.decision && open.request) return standingOf(open.decision, open.request.inputHash === hash())
  if (open.request && open.request.inputHash !== hash()) return refused('Its input has changed while it waited.')

  const { level, rule } = open.request ?? (await needOf(scope, call, rules))
  if (level === 'never') return APPROVED
  if (!scope.services.approvals.suspend && !scope.services.hooks.has('approval')) {
    return refused('It needs an approval, and nobody here can give one.')
  }
  const isNew = !open.request
  const request = open.request ?? (await ask(scope, call, { level, rule }, hash()))
  await seekDecision(scope, call, request, isNew)
  const { decision } = scope.log.conversation.run?.openCalls.get(request.callId) ?? {}
  return decision ? standingOf(decision, true) : WAITING
}

/** What a call needs: the strictest of what its tool and every policy ask, less what its session approves by itself. */
async function needOf(scope: RunScope, { tool, open, value }: CheckedCall, rules: Rules): Promise<Need> {
  const own = await levelOf(scope, tool, open, value)
  const { level, rule } = neededApproval(rules, tool.name, own)
  const isGiven = level === 'unless-auto-approved' && (await approvesItself(scope))
  return { level: isGiven ? 'never' : level, rule }
}

/** A sub-agent's session does what the session says that it works for. */
async function approvesItself({ services, namespace, log, signal }: RunScope): Promise<boolean> {
  const { run, metadata } = log.conversation
  const root = rootOf(namespace, run)
  if (root.key === namespace.key) return metadata['autoApprove'] === true
  const head = await services.store.sessions.head(root, { signal })
  return head?.metadata['autoApprove'] === true
}

async function levelOf(scope: RunScope, tool: ReadyTool, { call }: OpenCall, value: unknown): Promise<ApprovalLevel> {
  const { approval } = tool
  if (typeof approval !== 'function') return approval
  const { namespace, runId, signal, log } = scope
  const context = { namespace, runId, callId: call.callId, metadata: log.conversation.metadata, signal }
  try {
    const level = await untilAborted((async () => approval(value, context))(), signal)
    return level === 'never' || level === 'unless-auto-approved' ? level : 'always'
  } catch {
    signal.throwIfAborted()
    return 'always'
  }
}

async function ask(
  scope: RunScope,
  { tool, open, input }: CheckedCall,
  { level, rule }: Need<ApprovalRequest['level']>,
  hash: string,
): Promise<ApprovalRequest> {
  const { services, namespace, runId, log, lease, signal, emit } = scope
  const { suspend, expiresMs, deciders } = services.approvals
  const requestedAt = Date.now()
  const asked = {
    ...{ namespace: namespace.key, runId, callId: open.call.callId, tool: tool.name, input, inputHash: hash },
    ...{ level, rule, requestedAt, expiresAt: requestedAt + expiresMs },
  }
  const spawnedBy = callersOf(namespace, log.conversation.run)
  const request = {
    ...asked,
    ...(deciders ? { deciders: checkDeciders(deciders(asked)) } : {}),
    ...(spawnedBy ? { spawnedBy } : {}),
  }
  if (suspend) await noteRequest(services.store, request, signal)
  await log.append([{ type: 'approval-requested', request }], lease)
  emit({ type: 'approval-requested', request })
  return request
}

/** Asks the hooks, unless somebody decides in the meantime, and writes what comes of it. */
async function seekDecision(
  scope: RunScope,
  { open }: CheckedCall,
  request: ApprovalRequest,
  isNew: boolean,
): Promise<void> {
  const { services, log, lease, emit } = scope
  const { callId } = request
  const isLate = () => Date.now() >= request.expiresAt
  const { asked: seq = 0 } = log.conversation.run?.openCalls.get(callId) ?? open
  const asked = { type: 'approval-decided', callId, asked: seq } as const
  let entry: ApprovalDecidedEntry | undefined
  // Where runs wait, hooks are asked once: else each pass over a run that waits would ask them again.
  if ((isNew || !services.approvals.suspend) && !isLate() && services.hooks.has('approval')) {
    const decision = await askHooks(scope, request)
    if (decision) entry = { ...asked, approved: decision.approved, ...because(decision) }
  }
  if (isLate()) entry = expiry({ callId, seq })
  if (!entry && !services.approvals.suspend) {
    entry = { ...asked, approved: false, reason: 'Nobody here can approve it.' }
  }
  // Where somebody else has decided first, this one is left out.
  if (entry) await log.append([entry], lease)
  const { decision } = log.conversation.run?.openCalls.get(callId) ?? {}
  if (!decision) return
  const { approved, by } = decision
  const decider = by === undefined ? {} : { by }
  emit({ type: 'approval-decided', callId, tool: request.tool, approved, ...decider, ...because(decision) })
}

function because({ reason }: ApprovalDecision): { readonly reason?: string } {
  return reason === undefined ? {} : { reason }
}

async function askHooks(scope: RunScope, request: ApprovalRequest): Promise<ApprovalDecision | undefined> {
  const { signal } = scope
  using waiting = scope.untilDecided(request.callId, signal)
  using _ = scope.rest()
  const leftMs = request.expiresAt - Date.now() + 1
  const late = setTimeout(() => waiting.abort(), Math.min(leftMs, LONGEST_TIMEOUT_MS))
  try {
    const base = { ...hookBase(scope), signal: waiting.signal }
    const { event } = await scope.services.hooks.call('approval', base, { request, decision: undefined })
    return event.decision
  } catch {
    signal.throwIfAborted()
    // Decided elsewhere, or too late.
    return waiting.signal.aborted ? undefined : { approved: false, reason: 'It could not be asked for.' }
  } finally {
    clearTimeout(late)
  }
}

function standingOf({ approved, reason }: ApprovalDecidedEntry, isSameInput: boolean): Standing {
  if (!approved) return refused(reason)
  return isSameInput ? APPROVED : refused('Its input has changed since it was approved.')
}

function refused(reason?: string): Standing {
  return { type: 'refused', reason: reason === undefined ? 'It was not approved.' : `It was not approved: ${reason}` }
}
