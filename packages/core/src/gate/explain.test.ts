import { describe, expect, it } from 'vitest'
import { Namespace } from '../namespace.ts'
import { explain } from './explain.ts'
import { createGate } from './gate.ts'
import type { Policies } from './policy.ts'
import type { Action } from './rules.ts'

const POLICIES: Policies = {
  'tenant:*': { tools: { deny: ['exec'] }, approval: { 'send_*': 'always' }, limits: { usdPerDay: 50 } },
}

async function explained(action: Action, policies = POLICIES) {
  return explain(await createGate([policies]).at(Namespace.of('tenant', 'acme')), action)
}

describe('explain', () => {
  it('names the policy that denies', async () => {
    expect(await explained({ type: 'tool', name: 'exec' })).toEqual({
      allowed: false,
      rule: 'tenant:*: tools.deny exec',
      reason: 'The tool "exec" is not allowed here.',
    })
    expect(await explained({ type: 'agent', name: 'task', depth: 4 })).toMatchObject({
      allowed: false,
      reason: 'Sub-agents may be nested 3 deep here, and this one would be deeper.',
    })
    const none: Policies = { '*': { limits: { spawnDepth: 0 } } }
    expect(await explained({ type: 'agent', name: 'task', depth: 1 }, none)).toMatchObject({
      rule: '*: limits.spawnDepth',
      reason: 'Sub-agents are not allowed here.',
    })
  })

  it('says what an allowed tool needs', async () => {
    const reason = 'No policy denies the tool "send_mail" here.'
    const approval = { level: 'always', rule: 'tenant:*: approval send_*' }
    expect(await explained({ type: 'tool', name: 'send_mail' })).toEqual({ allowed: true, reason, approval })
    expect(await explained({ type: 'tool', name: 'read' })).not.toHaveProperty('approval')
  })

  it.each([{ type: 'model', name: 'large' } as const, { type: 'agent', name: 'task', depth: 1 } as const])(
    'says what an allowed $type is held to',
    async (action) => {
      const { allowed, limits } = await explained(action)
      expect(allowed).toBe(true)
      expect(limits).toEqual([
        {
          name: 'usdPerDay',
          value: 50,
          namespace: Namespace.of('tenant', 'acme'),
          rule: 'tenant:*: limits.usdPerDay',
        },
      ])
    },
  )

  it.each([
    null,
    'exec',
    { type: 'tools', name: 'exec' },
    { type: 'constructor', name: 'exec' },
    { type: 'tool' },
    { type: 'tool', name: '' },
    { type: 'agent', name: 'task' },
    { type: 'agent', name: 'task', depth: 0 },
  ])('refuses %o', async (action) => {
    await expect(explained(action as unknown as Action)).rejects.toMatchObject({ code: 'options.invalid' })
  })
})
