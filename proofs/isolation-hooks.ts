import {
  type ApprovalRequest,
  approvals,
  type HookEvent,
  type Hooks,
  logging,
  Namespace,
  workingDirectory,
} from '@orra/core'
import type { Lookout } from './isolation-lookout.ts'
import type { Tenant } from './isolation-tenant.ts'

/** Hooks at every point that look at all that they are told; calls of steady tenants are approved or refused at once. */
export function watchingHooks(
  lookout: Lookout,
  asked: (tenant: Tenant, request: ApprovalRequest) => void,
): readonly Hooks[] {
  const look = (point: string) => (event: HookEvent) => {
    const { signal: _, ...told } = event
    lookout.handed(`the hook ${point}`, event.namespace, told)
  }
  const log = (fields: object, message: string) => {
    lookout.handed('a line of a log', undefined, [fields, message])
  }
  const all: Hooks = {
    name: 'watching',
    runStart: look('runStart'),
    sessionLoaded: look('sessionLoaded'),
    beforeModelCall: look('beforeModelCall'),
    afterModelCall: look('afterModelCall'),
    beforeToolCall: look('beforeToolCall'),
    approval: look('approval'),
    afterToolCall: look('afterToolCall'),
    beforeAppend: look('beforeAppend'),
    runEnd: look('runEnd'),
  }
  const ask = (request: ApprovalRequest) => {
    const tenant = lookout.handed('an approver', Namespace.parse(request.namespace), request)
    if (!tenant) return undefined
    asked(tenant, request)
    // Its hash is as good as a die, and falls the same way again.
    const die = Number.parseInt(request.inputHash.slice(0, 4), 16) % 10
    if (tenant.isSteady) return { approved: die < 8, reason: `for ${tenant.secret}` }
    return die < 2 ? { approved: die === 0, reason: `for ${tenant.secret}` } : undefined
  }
  return [all, workingDirectory(), logging({ info: log, warn: log, error: log }, { content: true }), approvals({ ask })]
}
