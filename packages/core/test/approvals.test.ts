import { scriptedProvider } from '@orra/conformance'
import {
  approvals,
  createRuntime,
  defineTool,
  deny,
  memoryStore,
  Namespace,
  type RunEvent,
  type Tool,
} from '@orra/core'
import { describe, expect, it } from 'vitest'
import { alice, announced, aSwitch, bob, codeOf, collect, logOf, scripted } from './harness.ts'

const acme = Namespace.of('tenant', 'acme')

/** A tool that counts what it does. */
function counted(name: string, hints: Partial<Tool> = {}): { readonly tool: Tool; readonly done: unknown[] } {
  const done: unknown[] = []
  const tool = defineTool({
    name,
    description: name,
    input: { type: 'object', properties: { id: { type: 'number' } } },
    execute(input) {
      done.push(input)
      return `${name} is done`
    },
  })
  return { tool: { ...tool, ...hints }, done }
}

const remove = (hints: Partial<Tool> = { approval: 'always' }) => counted('remove', hints)
const call = { toolCalls: [{ name: 'remove', input: { id: 1 } }] }
const suspend = { suspend: true } as const

async function waiting(orra: { approvals: ReturnType<typeof createRuntime>['approvals'] }, within = acme) {
  const all = []
  for await (const request of orra.approvals(within)) all.push(request)
  return all
}

describe('a call that needs an approval', () => {
  it('is refused where nobody can give one', async () => {
    const { tool, done } = remove()
    const { orra } = scripted([call, 'So not.'], { tools: [tool] })
    expect(await orra.run(bob, 'Remove it')).toMatchObject({ reason: 'completed', text: 'So not.' })
    expect(done).toEqual([])
    expect((await logOf(orra)).join('\n')).toContain('error call-1: It was not approved: It needs an approval')
  })

  it.each([
    ['readOnly', { readOnly: true }, true],
    ['without hints', {}, true],
    ['destructive', { destructive: true }, false],
    ['destructive, but never to be approved', { destructive: true, approval: 'never' }, true],
  ] as const)('is by default that of a tool that is %s: it runs at once %s', async (_, hints, runs) => {
    const done: string[] = []
    const tool = defineTool({
      name: 'remove',
      description: 'Removes.',
      ...hints,
      execute: () => String(done.push('x')),
    })
    const { orra } = scripted([call, 'Done.'], { tools: [tool] })
    await orra.run(bob, 'Remove it')
    expect(done.length > 0).toBe(runs)
  })

  it('may depend on its input; what throws needs one', async () => {
    const done: unknown[] = []
    const tool = defineTool({
      name: 'remove',
      description: 'Removes.',
      input: { type: 'object', properties: { id: { type: 'number' } } },
      approval: ({ id }) => {
        if (id === 3) throw new Error('no idea')
        return id === 1 ? 'never' : 'always'
      },
      execute: ({ id }) => String(done.push(id)),
    })
    const calls = [1, 2, 3].map((id) => ({ name: 'remove', input: { id } }))
    const { orra } = scripted([{ toolCalls: calls }, 'Done.'], { tools: [tool] })
    await orra.run(bob, 'Remove them')
    expect(done).toEqual([1])
  })

  it('is raised by a policy and never lowered', async () => {
    const steps = [call, 'Done.', call, 'Done.']
    const raised = remove({})
    const { orra } = scripted(steps, { tools: [raised.tool], policies: { tenant: { approval: { 're*': 'always' } } } })
    await orra.run(bob, 'Remove it')
    expect(raised.done).toEqual([])
    const kept = remove()
    const other = scripted(steps, { tools: [kept.tool], policies: { tenant: { approval: { '*': 'never' } } } })
    await other.orra.run(bob, 'Remove it')
    expect(kept.done).toEqual([])
  })

  it('is approved by a session that approves by itself, unless it is always to be asked for', async () => {
    for (const [approval, times] of [
      ['unless-auto-approved', 1],
      ['always', 0],
    ] as const) {
      const { tool, done } = remove({ approval })
      const { orra } = scripted([call, 'Done.'], { tools: [tool] })
      await orra.session(bob).setMetadata({ autoApprove: true })
      await orra.run(bob, 'Remove it')
      expect(done).toHaveLength(times)
    }
  })

  it('is never asked for where the gate denies it', async () => {
    const { tool } = remove()
    const asked: unknown[] = []
    const { orra } = scripted([call, 'Done.'], {
      tools: [tool],
      policies: { tenant: { tools: { deny: ['remove'] } } },
      hooks: [approvals({ ask: (request) => void asked.push(request) })],
    })
    await orra.run(bob, 'Remove it')
    expect(asked).toEqual([])
  })
})

describe('an approver who is asked at once', () => {
  it('approves, and the log says so', async () => {
    const { tool, done } = remove()
    const { orra } = scripted([call, 'Done.'], {
      tools: [tool],
      hooks: [
        approvals({ ask: ({ tool: name, input }) => ({ approved: name === 'remove' && 'id' in (input as object) }) }),
      ],
    })
    const events = await collect(orra.stream(bob, 'Remove it'))
    expect(done).toEqual([{ id: 1 }])
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['approval-requested', 'approval-decided']))
    expect(await logOf(orra)).toEqual([
      'input: Remove it',
      'run-started',
      'user: Remove it',
      'assistant: remove({"id":1})',
      'approval-requested call-1 always',
      'approval-given call-1',
      'tool-started call-1',
      'tool: result call-1: remove is done',
      'assistant: Done.',
      'run-ended completed',
    ])
  })

  it.each([
    ['refuses', () => ({ approved: false, reason: 'Not this one.' }), 'Not this one.'],
    [
      'throws',
      () => {
        throw new Error('The window was closed.')
      },
      'could not',
    ],
    ['does not know', () => undefined, 'Nobody here can approve it.'],
    ['says nonsense', () => ({ approved: 'yes' }) as never, 'It was not approved'],
  ])('who %s refuses', async (_, ask, words) => {
    const { tool, done } = remove()
    const { orra } = scripted([call, 'So not.'], { tools: [tool], hooks: [approvals({ ask })] })
    await orra.run(bob, 'Remove it')
    expect(done).toEqual([])
    if (words !== 'could not') expect((await logOf(orra)).join('\n')).toContain(words)
  })

  it('that is a window shows what waits, and refuses what waits when it is closed', async () => {
    const { tool, done } = remove()
    const window = approvals()
    const { orra } = scripted([call, 'Done.', call, 'So not.'], { tools: [tool], hooks: [window] })
    const first = orra.run(bob, 'Remove it')
    for await (const item of window) {
      expect(item.request).toMatchObject({ namespace: bob.key, tool: 'remove', input: { id: 1 } })
      item.approve()
      break
    }
    await first
    expect(done).toHaveLength(1)
    await orra.run(bob, 'Once more')
    expect(done).toHaveLength(1)
  })
})

describe('a run that waits for an approval', () => {
  it('is suspended, goes on in another process, and is listed meanwhile', async () => {
    const { tool, done } = remove()
    const store = memoryStore()
    const script = [call, 'Done.']
    const first = scripted(script, { tools: [tool], store, approvals: suspend })
    const result = await first.orra.run(bob, 'Remove it')
    expect(result).toMatchObject({ reason: 'suspended', approvals: [{ callId: 'call-1', tool: 'remove' }] })
    await first.orra.close()
    expect(done).toEqual([])

    const second = scripted(['Done.'], { tools: [tool], store, approvals: suspend })
    expect(await waiting(second.orra)).toMatchObject([{ namespace: bob.key, callId: 'call-1', input: { id: 1 } }])
    expect(await waiting(second.orra, alice)).toEqual([])
    await second.orra.decide(bob, 'call-1', { approved: true, by: acme })
    expect(await waiting(second.orra)).toEqual([])
    await second.orra.recover({ untilIdle: true })
    expect(done).toEqual([{ id: 1 }])
    expect(await logOf(second.orra)).toEqual([
      'input: Remove it',
      'run-started',
      'user: Remove it',
      'assistant: remove({"id":1})',
      'approval-requested call-1 always',
      'run-suspended',
      `approval-given call-1 by ${acme.key}`,
      'tool-started call-1',
      'tool: result call-1: remove is done',
      'assistant: Done.',
      'run-ended completed',
    ])
  })

  it('takes no part in recovering until it is decided', async () => {
    const { tool } = remove()
    const { orra, provider } = scripted([call, 'Done.'], { tools: [tool], approvals: suspend })
    await orra.run(bob, 'Remove it')
    await orra.recover({ untilIdle: true })
    expect(provider.requests).toHaveLength(1)
    const entries = (await logOf(orra)).length
    await orra.resume(bob)
    expect(await logOf(orra)).toHaveLength(entries)
  })

  it('goes on with what was refused, too', async () => {
    const { tool, done } = remove()
    const { orra } = scripted([call, 'So not.'], { tools: [tool], approvals: suspend })
    await orra.run(bob, 'Remove it')
    await orra.decide(bob, 'call-1', { approved: false, by: bob, reason: 'I like it.' })
    expect(await orra.resume(bob)).toMatchObject({ reason: 'completed', text: 'So not.' })
    expect(done).toEqual([])
    expect((await logOf(orra)).join('\n')).toContain('It was not approved: I like it.')
  })

  it('waits for all of its calls, while others run', async () => {
    const { tool, done } = remove()
    const look = counted('look', { readOnly: true })
    const both = { toolCalls: [call.toolCalls[0], { name: 'look' }, { name: 'remove', input: { id: 2 } }] } as const
    const { orra } = scripted([both as never, 'Done.'], { tools: [tool, look.tool], approvals: suspend })
    expect((await orra.run(bob, 'Remove both')).approvals).toHaveLength(2)
    expect(look.done).toHaveLength(1)
    await orra.decide(bob, 'call-3', { approved: true, by: bob })
    expect((await orra.resume(bob))?.approvals).toHaveLength(1)
    expect(done).toEqual([{ id: 2 }])
    await orra.decide(bob, 'call-1', { approved: true, by: bob })
    expect(await orra.resume(bob)).toMatchObject({ reason: 'completed' })
    expect(done).toEqual([{ id: 2 }, { id: 1 }])
  })

  it('keeps messages behind it waiting, and is ended by one that interrupts', async () => {
    const { tool, done } = remove()
    const store = memoryStore()
    const { orra } = scripted([call, 'Here.'], { tools: [tool], store, approvals: suspend })
    await orra.run(bob, 'Remove it')
    expect(await codeOf(orra.run(bob, 'Busy?', { whenBusy: 'reject' }))).toBe('session.busy')
    expect(await orra.run(bob, 'Leave it', { whenBusy: 'interrupt' })).toMatchObject({ text: 'Here.' })
    expect(done).toEqual([])
    expect(await codeOf(orra.decide(bob, 'call-1', { approved: true, by: bob }))).toBe('approval.gone')
    expect(await waiting(orra)).toEqual([])
    expect((await store.records.list({ collection: 'orra.approvals' })).items).toEqual([])
  })

  it('answers who waits behind it once it is decided', async () => {
    const { tool } = remove()
    const { orra } = scripted([call, 'Done.', 'Next.'], { tools: [tool], approvals: suspend })
    await orra.run(bob, 'Remove it')
    const events: RunEvent[] = []
    const next = (async () => {
      for await (const event of orra.stream(bob, 'And then?')) {
        events.push(event)
        if (event.type === 'waiting') await orra.decide(bob, 'call-1', { approved: true, by: bob }).catch(() => {})
      }
    })()
    await next
    expect(events.at(-1)).toMatchObject({ type: 'run-end', reason: 'completed', text: 'Next.' })
  })

  it('is refused when nobody decides in time', async () => {
    const { tool, done } = remove()
    const { orra } = scripted([call, 'So not.'], { tools: [tool], approvals: { suspend: true, expiresMs: 1 } })
    const { approvals: [request] = [] } = await orra.run(bob, 'Remove it')
    // The time is over as soon as the clock shows it.
    while (Date.now() <= (request?.expiresAt ?? 0)) await Promise.resolve()
    expect(await codeOf(orra.decide(bob, 'call-1', { approved: true, by: bob }))).toBe('approval.gone')
    await orra.recover({ untilIdle: true })
    expect(done).toEqual([])
    expect((await logOf(orra)).join('\n')).toContain('Nobody decided in time.')
    expect((await logOf(orra)).at(-1)).toBe('run-ended completed')
  })

  it('is refused when its input is another by then', async () => {
    const { tool, done } = remove()
    const store = memoryStore()
    const { orra } = scripted([call, 'So not.'], { tools: [tool], store, approvals: suspend })
    await orra.run(bob, 'Remove it')
    await orra.decide(bob, 'call-1', { approved: true, by: bob })
    const other = scripted(['So not.'], {
      ...{ tools: [tool], store, approvals: suspend },
      hooks: [{ beforeToolCall: () => ({ input: { id: 2 } }) }],
    })
    await other.orra.resume(bob)
    expect(done).toEqual([])
    expect((await logOf(orra)).join('\n')).toContain('Its input has changed since it was approved.')
  })

  it('is refused when a policy denies it by then', async () => {
    const { tool, done } = remove()
    const store = memoryStore()
    const { orra } = scripted([call], { tools: [tool], store, approvals: suspend })
    await orra.run(bob, 'Remove it')
    await orra.decide(bob, 'call-1', { approved: true, by: bob })
    const other = scripted(['So not.'], {
      ...{ tools: [tool], store, approvals: suspend },
      policies: { tenant: { tools: { deny: ['remove'] } } },
    })
    await other.orra.resume(bob)
    expect(done).toEqual([])
  })
})

describe('a decision', () => {
  const paused = async (options: object = {}) => {
    const { tool, done } = remove()
    const { orra } = scripted([call, 'Done.'], { tools: [tool], approvals: { suspend: true, ...options } })
    await orra.run(bob, 'Remove it')
    return { orra, done }
  }

  it.each([
    ['a neighbour', alice],
    ['another tenant', Namespace.of('tenant', 'other')],
    ['whoever is below', bob.child('agent')],
  ])('is not that of %s', async (_, by) => {
    const { orra } = await paused()
    expect(await codeOf(orra.decide(bob, 'call-1', { approved: true, by }))).toBe('approval.forbidden')
    expect(await waiting(orra)).toHaveLength(1)
  })

  it('is that of the named deciders, and then of nobody else', async () => {
    const { orra } = await paused({ deciders: () => ['tenant:acme:admin:*'] })
    expect(await codeOf(orra.decide(bob, 'call-1', { approved: true, by: bob }))).toBe('approval.forbidden')
    await orra.decide(bob, 'call-1', { approved: true, by: acme.child('admin', 'ann') })
  })

  it('counts once', async () => {
    const { orra, done } = await paused()
    const decisions = [true, false, true, false].map((approved) =>
      codeOf(orra.decide(bob, 'call-1', { approved, by: bob })),
    )
    expect((await Promise.all(decisions)).filter((code) => code === 'nothing thrown')).toHaveLength(1)
    await orra.resume(bob)
    expect(await codeOf(orra.decide(bob, 'call-1', { approved: true, by: bob }))).toBe('approval.gone')
    expect(done).toHaveLength(1)
  })

  it('is of the request that was looked at, when its hash is given', async () => {
    const { orra } = await paused()
    const [request] = await waiting(orra)
    const decision = { approved: true, by: bob }
    expect(await codeOf(orra.decide(bob, 'call-1', { ...decision, inputHash: 'another' }))).toBe('approval.gone')
    await orra.decide(bob, 'call-1', { ...decision, inputHash: request?.inputHash ?? '' })
  })

  it('holds for one call alone, not for the next of the same id', async () => {
    const { tool, done } = remove()
    const same = { toolCalls: [{ name: 'remove', callId: 'x', input: { id: 1 } }] }
    const { orra } = scripted([same, same, 'Done.'], { tools: [tool], approvals: suspend })
    await orra.run(bob, 'Remove it')
    await orra.decide(bob, 'x', { approved: true, by: bob })
    expect(await orra.resume(bob)).toMatchObject({ reason: 'suspended' })
    expect(done).toHaveLength(1)
  })

  it.each([
    ['nothing', {}],
    ['a word', { approved: 'yes', by: bob }],
    ['nobody', { approved: true }],
    ['a key', { approved: true, by: bob.key }],
    ['something misspelt', { approved: true, by: bob, why: '' }],
  ])('is not %s', async (_, decision) => {
    const { orra } = await paused()
    expect(await codeOf(orra.decide(bob, 'call-1', decision as never))).toMatch(/^(options|namespace)\.invalid$/)
  })

  it('is of a call that waits', async () => {
    const orra = createRuntime({ provider: scriptedProvider([]) })
    expect(await codeOf(orra.decide(bob, 'call-1', { approved: true, by: bob }))).toBe('approval.gone')
  })
})

describe('a copy of a session that waits', () => {
  it('asks again for what was approved in the original', async () => {
    const { tool, done } = remove()
    const store = memoryStore()
    const { orra } = scripted([call, 'Done.'], { tools: [tool], store, approvals: suspend })
    await orra.run(bob, 'Remove it')
    await orra.decide(bob, 'call-1', { approved: true, by: bob })
    const lines: string[] = []
    for await (const line of orra.session(bob).export()) lines.push(line)
    await orra.session(alice).import(lines)
    expect(await orra.resume(alice)).toMatchObject({ reason: 'suspended', approvals: [{ namespace: alice.key }] })
    expect(done).toEqual([])
    await orra.decide(alice, 'call-1', { approved: true, by: alice })
    await orra.resume(alice)
    expect(done).toHaveLength(1)
  })
})

describe('a suspended run that goes on for another reason than a decision', () => {
  it('is taken up again when its process dies', async () => {
    const { tool } = remove()
    const store = memoryStore()
    let denied = false
    const options = {
      ...{ tools: [tool], store, approvals: suspend },
      hooks: [{ beforeToolCall: () => (denied ? deny('Not today.') : undefined) }],
    }
    const asked = aSwitch()
    const { orra } = scripted([call, announced(asked, { text: 'x', before: new Promise(() => {}) })], options)
    await orra.run(bob, 'Remove it')
    denied = true
    const next = orra.run(bob, 'And then?').catch(() => {})
    await asked.promise
    await orra.close()
    await next
    const second = scripted(['Well.', 'Then this.'], options)
    await second.orra.recover({ untilIdle: true })
    expect((await logOf(second.orra)).slice(-2)).toEqual(['assistant: Then this.', 'run-ended completed'])
  })
})

describe('what a hook answers', () => {
  it('says whether this call is approved, and nothing else', async () => {
    const { tool, done } = remove()
    const both = { toolCalls: [1, 2].map((id) => ({ name: 'remove', input: { id } })) }
    const forged = { approved: true, callId: 'call-2', by: 'tenant:acme', type: 'metadata', set: { autoApprove: true } }
    const { orra } = scripted([both, 'Done.'], {
      tools: [tool],
      hooks: [
        { approval: ({ request }) => ({ decision: request.callId === 'call-1' ? forged : { approved: false } }) },
      ],
    })
    await orra.run(bob, 'Remove them')
    expect(done).toEqual([{ id: 1 }])
    expect(await logOf(orra)).toContain('approval-given call-1')
    expect((await orra.session(bob).head())?.metadata).toEqual({})
  })

  it('is asked for once where runs wait, however often the run is looked at', async () => {
    const { tool } = remove()
    const asked: string[] = []
    const { orra } = scripted([call, 'Done.'], {
      ...{ tools: [tool], approvals: suspend },
      hooks: [{ approval: ({ request }) => void asked.push(request.tool) }],
    })
    await orra.run(bob, 'Remove it')
    await orra.resume(bob)
    await orra.resume(bob)
    expect(asked).toEqual(['remove'])
  })

  it('is waited for as long as the call may be approved', async () => {
    const { tool } = remove()
    const { orra } = scripted([call, 'So not.'], {
      ...{ tools: [tool], approvals: { expiresMs: 20 } },
      hooks: [{ approval: () => new Promise<never>(() => {}) }],
    })
    expect(await orra.run(bob, 'Remove it')).toMatchObject({ text: 'So not.' })
    expect((await logOf(orra)).join('\n')).toContain('It was not approved: Nobody decided in time.')
  })
})

describe('the list of what waits', () => {
  it('has nothing of a session that is no longer there', async () => {
    const { tool } = remove()
    const store = memoryStore()
    const { orra } = scripted([call], { tools: [tool], store, approvals: suspend })
    await orra.run(bob, 'Remove it')
    await orra.session(bob).delete()
    expect(await waiting(orra)).toEqual([])
    expect((await store.records.list({ collection: 'orra.approvals' })).items).toEqual([])
  })

  it('is of the very tool: another one with the same input and id is another request', async () => {
    const [one, two] = [remove(), counted('wipe', { approval: 'always' })]
    const named = (name: string) => ({ toolCalls: [{ name, callId: 'x', input: { id: 1 } }] })
    const { orra } = scripted([named('remove'), named('wipe')], { tools: [one.tool, two.tool], approvals: suspend })
    await orra.run(bob, 'Remove it')
    const [{ inputHash = '' } = {}] = await waiting(orra)
    await orra.run(bob, 'Wipe it', { whenBusy: 'interrupt' })
    const decision = { approved: true, by: bob, inputHash }
    expect(await codeOf(orra.decide(bob, 'x', decision))).toBe('approval.gone')
  })

  it.each([
    ['malformed patterns', () => ['tenant::x']],
    ['text', () => 'admin*'],
    ['nothing', () => undefined],
  ])('is not for deciders that are %s', async (_, deciders) => {
    const { tool, done } = remove()
    const { orra } = scripted([call], { tools: [tool], approvals: { suspend: true, deciders: deciders as never } })
    expect(await codeOf(orra.run(bob, 'Remove it'))).toBe('options.invalid')
    expect(done).toEqual([])
  })
})
