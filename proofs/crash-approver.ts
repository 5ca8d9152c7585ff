import { setTimeout as delay } from 'node:timers/promises'
import { type ApprovalRequest, isOrraError, Namespace, type Runtime } from '@orra/core'

/** Rooms that may be torn down. */
const APPROVED: readonly unknown[] = ['red', 'green']

/** Whether a call with this input is to be approved. */
export function isToBeApproved(input: ApprovalRequest['input']): boolean {
  return APPROVED.includes((input as { readonly room?: unknown }).room)
}

/**
 * Decides of whatever waits in a namespace and its sub-agents, until nothing is open there. `isPatient`: only while its run
 * is suspended, else as soon as it is asked.
 */
export async function decideAll(orra: Runtime, namespace: Namespace, isPatient: boolean): Promise<void> {
  for (;;) {
    const { inbox, openRun } = (await orra.session(namespace).head()) ?? { inbox: ['none yet'] }
    if (inbox.length === 0 && !openRun) return
    if (openRun?.suspended || !isPatient) {
      for await (const request of orra.approvals(namespace)) await decideTwice(orra, namespace, request)
    }
    await delay(5)
  }
}

/** Two say it at the same moment, and one of them is heard; or it was said before. */
async function decideTwice(orra: Runtime, namespace: Namespace, request: ApprovalRequest): Promise<void> {
  const asking = Namespace.parse(request.namespace)
  const approved = isToBeApproved(request.input)
  const reason = approved ? 'It is empty.' : 'Somebody sleeps in it.'
  const deciders = [namespace, Namespace.of('tenant', 'acme')]
  const said = await Promise.allSettled(
    deciders.map((by) => orra.decide(asking, request.callId, { approved, by, reason })),
  )
  const heard = said.filter(({ status }) => status === 'fulfilled')
  for (const one of said) {
    if (one.status === 'rejected' && !isOrraError(one.reason, 'approval.gone')) throw one.reason
  }
  if (heard.length > 1) throw new Error('Two decided of one call.')
  if (!(await isDecided(orra, asking, request))) throw new Error('A decision was taken and is not there.')
}

async function isDecided(orra: Runtime, asking: Namespace, { callId, runId }: ApprovalRequest): Promise<boolean> {
  let isOfRun = false
  for await (const { entry } of orra.session(asking).entries()) {
    if (entry.type === 'run-started') isOfRun = entry.runId === runId
    if (isOfRun && entry.type === 'approval-decided' && entry.callId === callId) return true
  }
  return false
}
