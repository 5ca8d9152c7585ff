import { scriptedProvider } from '@orra/conformance'
import { createRuntime, defineTool, deny, type HookPoint, type Hooks, textOf } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { bob, codeOf, collect, logOf, scripted } from './harness.ts'

const echo = defineTool({
  name: 'echo',
  description: 'Says it again.',
  input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  readOnly: true,
  execute: ({ text }) => String(text),
})
const calls = { toolCalls: [{ name: 'echo', input: { text: 'hi' } }] }

describe('hooks', () => {
  it('are called at every point, in order, with the namespace and the run', async () => {
    const seen: string[] = []
    const record = (point: HookPoint) => (event: { namespace: { key: string }; runId?: string }) => {
      expect(event.namespace.key).toBe(bob.key)
      if (point !== 'beforeAppend') expect(event.runId).toMatch(/./)
      seen.push(point)
    }
    const points = [
      'runStart',
      'sessionLoaded',
      'beforeModelCall',
      'afterModelCall',
      'beforeToolCall',
      'afterToolCall',
      'runEnd',
    ] as const
    const hooks = Object.fromEntries(points.map((point) => [point, record(point)])) as Hooks
    const { orra } = scripted([calls, 'Done.'], { tools: [echo], hooks: [hooks] })
    await orra.run(bob, 'Go')
    expect(seen).toEqual([
      'runStart',
      'sessionLoaded',
      'beforeModelCall',
      'afterModelCall',
      'beforeToolCall',
      'afterToolCall',
      'beforeModelCall',
      'afterModelCall',
      'runEnd',
    ])
  })

  it('each get what the one before left', async () => {
    const add = (text: string): Hooks => ({
      runStart: ({ message }) => ({
        message: { role: 'user', content: [{ type: 'text', text: `${textOf(message)} ${text}` }] },
      }),
    })
    const { orra, provider } = scripted(['Hi.'], { hooks: [add('one'), add('two')] })
    await orra.run(bob, 'zero')
    expect(provider.requests[0]?.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'zero one two' }] },
    ])
  })

  it('patch the request, the reply, the input and the result', async () => {
    const { orra, provider } = scripted([calls, 'Done.'], {
      tools: [echo],
      hooks: [
        {
          beforeModelCall: ({ request }) => ({ request: { instructions: `${request.instructions ?? ''}Be kind.` } }),
          afterModelCall: ({ message }) =>
            textOf(message) === ''
              ? undefined
              : { message: { role: 'assistant', content: [{ type: 'text', text: 'Kindly done.' }] } },
          beforeToolCall: () => ({ input: { text: 'patched' } }),
          afterToolCall: ({ content }) => ({ content: [{ type: 'text', text: `[${textOf(content)}]` }] }),
        },
      ],
    })
    expect((await orra.run(bob, 'Go')).text).toBe('Kindly done.')
    expect(provider.requests[0]?.instructions).toBe('Be kind.')
    expect(await logOf(orra)).toContain('tool: result call-1: [patched]')
  })

  it('that patch a tool’s input do not get past its schema', async () => {
    const { orra } = scripted([calls, 'Done.'], {
      tools: [echo],
      hooks: [{ beforeToolCall: () => ({ input: { text: 7 } }) }],
    })
    await orra.run(bob, 'Go')
    expect((await logOf(orra)).find((line) => line.startsWith('tool:'))).toContain("does not fit the tool's schema")
  })

  it('deny a message, which then never reaches the model', async () => {
    const { orra, provider } = scripted(['Fine.'], {
      hooks: [{ runStart: ({ message }) => (textOf(message) === 'bad' ? deny('Be polite.') : undefined) }],
    })
    expect(await collect(orra.stream(bob, 'bad'))).toMatchObject([
      { type: 'run-end', reason: 'denied', denial: 'Be polite.' },
    ])
    expect((await orra.run(bob, 'good')).text).toBe('Fine.')
    expect(provider.requests[0]?.messages).toHaveLength(1)
  })

  it('deny a model call and a tool call', async () => {
    const tooMuch = scripted([calls, 'Never.'], {
      tools: [echo],
      hooks: [{ beforeToolCall: () => deny('Not today.'), beforeModelCall: denySecond() }],
    })
    expect(await tooMuch.orra.run(bob, 'Go')).toMatchObject({ reason: 'denied', denial: 'Once is enough.' })
    expect((await logOf(tooMuch.orra)).slice(-2)).toEqual(['tool: error call-1: Not today.', 'run-ended denied'])

    function denySecond() {
      let count = 0
      return () => (++count > 1 ? deny('Once is enough.') : undefined)
    }
  })

  it('change what is written, and so what anybody reads', async () => {
    const redact: Hooks = {
      beforeAppend: ({ message }) => ({
        message: JSON.parse(JSON.stringify(message).replaceAll('4111-1111', '[card]')),
      }),
    }
    const { orra, provider } = scripted(['Your card is 4111-1111.', 'ok'], { hooks: [redact] })
    await orra.run(bob, 'My card is 4111-1111')
    await orra.run(bob, 'Thanks')
    expect(JSON.stringify(await orra.session(bob).messages())).not.toContain('4111')
    expect(JSON.stringify(provider.requests)).not.toContain('4111')
  })

  const throwing = () => {
    throw new Error('boom')
  }

  it.each(['runStart', 'sessionLoaded', 'beforeModelCall', 'afterModelCall', 'beforeAppend'] as const)(
    'that throw at %s fail the run, and no other',
    async (point) => {
      let armed = true
      const hook = () => {
        if (armed) throwing()
      }
      const { orra } = scripted(['One.', 'Two.', 'Three.'], { hooks: [{ name: 'mine', [point]: hook }] })
      expect(await codeOf(orra.run(bob, 'Go'))).toBe('hook.failed')
      armed = false
      expect((await orra.run(bob, 'Go')).reason).toBe('completed')
    },
  )

  it.each(['beforeToolCall', 'afterToolCall'] as const)('that throw at %s fail the one call', async (point) => {
    const { orra } = scripted([calls, 'Oh.'], { tools: [echo], hooks: [{ name: 'mine', [point]: throwing }] })
    expect((await orra.run(bob, 'Go')).text).toBe('Oh.')
    expect(await logOf(orra)).toContain(`tool: error call-1: The hook mine threw at ${point}; see the cause.`)
  })

  it('that throw at runEnd change nothing', async () => {
    const { orra } = scripted(['Fine.'], { hooks: [{ runEnd: throwing }] })
    expect((await orra.run(bob, 'Go')).text).toBe('Fine.')
  })

  it.each([
    ['runStart', { request: {} }],
    ['runStart', 'no'],
    ['sessionLoaded', { messages: 1 }],
    ['afterModelCall', deny('no')],
    ['beforeAppend', { message: { role: 'assistant', content: [] } }],
    ['runStart', { message: 'hello' }],
    ['runStart', { message: { role: 'user', content: [{ type: 'text' }] } }],
    ['afterModelCall', { message: { role: 'user', content: [] } }],
    ['afterModelCall', { message: { role: 'assistant', content: [{ type: 'text', text: 1n }] } }],
  ] as const)('that return at %s what it does not take fail: %o', async (point, patch) => {
    const orra = createRuntime({
      provider: scriptedProvider(['Hi.']),
      hooks: [{ [point]: () => patch } as unknown as Hooks],
    })
    expect(await codeOf(orra.run(bob, 'Go'))).toBe('hook.invalid-patch')
  })
})

describe('hooks of a class', () => {
  class Guard {
    readonly #reason = 'Never here.'
    beforeToolCall() {
      return deny(this.#reason)
    }
  }
  const call = { toolCalls: [{ name: 'look' }] }
  const look = () => {
    const done: string[] = []
    return { done, tool: defineTool({ name: 'look', description: 'Looks.', execute: () => String(done.push('x')) }) }
  }

  it.each([
    ['given to the runtime', { hooks: [new Guard()] }],
    ['of a plugin', { plugins: [{ name: 'guard', hooks: new Guard() }] }],
  ])('%s are heard', async (_, options) => {
    const { tool, done } = look()
    const { orra } = scripted([call, 'Well.'], { tools: [tool], ...options })
    await orra.run(bob, 'Look')
    expect(done).toEqual([])
    expect((await logOf(orra)).join('\n')).toContain('Never here.')
  })
})
