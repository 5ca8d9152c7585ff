// Compiled, never run: a type that no longer carries through fails the type check.
import {
  createRuntime,
  defineTool,
  deny,
  isOrraError,
  type JsonObject,
  type Namespace,
  type RunEvent,
  type Runtime,
  type Store,
} from '@orra/core'
import { assertType, expectTypeOf } from 'vitest'
import { z } from 'zod'

declare const orra: Runtime
declare const bob: Namespace
declare const store: Store
declare const provider: Parameters<typeof createRuntime>[0]['provider']

defineTool({
  name: 'move',
  description: 'Moves.',
  input: z.object({ id: z.number(), column: z.enum(['todo', 'done']).default('todo') }),
  execute(input, { namespace, signal }) {
    expectTypeOf(input).toEqualTypeOf<{ id: number; column: 'todo' | 'done' }>()
    expectTypeOf(namespace).toEqualTypeOf<Namespace>()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    return 'moved'
  },
})

defineTool({
  name: 'plain',
  description: 'Takes plain JSON Schema.',
  input: { type: 'object', properties: { id: { type: 'number' } } },
  execute: ({ id }) => String(id),
})

// @ts-expect-error a tool gives text or parts
defineTool({ name: 'bad', description: 'Bad.', execute: () => 42 })

const answered = await orra.run(bob, 'Next?', { output: z.object({ days: z.number().default(1) }) })
expectTypeOf(answered.output).toEqualTypeOf<{ days: number } | undefined>()
const plainly = await orra.run(bob, 'Next?', { output: { type: 'object' } })
expectTypeOf(plainly.output).toEqualTypeOf<JsonObject | undefined>()
const said = await orra.run(bob, 'Hello', { model: 'small' })
expectTypeOf(said.output).toEqualTypeOf<unknown>()
// @ts-expect-error an answer is described by a schema
await orra.run(bob, 'Hello', { output: 'a task' })

for await (const event of orra.stream(bob, 'Hello')) {
  if (event.type === 'text-delta') expectTypeOf(event.text).toEqualTypeOf<string>()
  if (event.type === 'tool-call-end') expectTypeOf(event.isError).toEqualTypeOf<boolean>()
  if (event.type === 'run-end') expectTypeOf(event.reason).toExtend<string>()
  // @ts-expect-error only deltas have text
  if (event.type === 'run-start') event.text
}

createRuntime({
  provider,
  store,
  policies: { 'tenant:*': { tools: { deny: ['exec'] } } },
  hooks: [
    {
      beforeToolCall: ({ tool, input }) => (tool === 'move' && input === null ? deny('No.') : undefined),
      beforeModelCall: ({ request }) => ({ request: { instructions: `${request.instructions} Be kind.` } }),
      runEnd: async ({ usage }) => void usage.inputTokens,
    },
  ],
})

// @ts-expect-error a misspelt key of a policy
createRuntime({ provider, policies: { '*': { tool: {} } } })
// @ts-expect-error a hook point that does not exist
createRuntime({ provider, hooks: [{ beforeToolcall: () => undefined }] })
// @ts-expect-error nothing can be denied once the run has ended
createRuntime({ provider, hooks: [{ runEnd: () => deny('Too late.') }] })

const failure: unknown = undefined
if (isOrraError(failure, 'provider.rate-limited'))
  expectTypeOf(failure.details.retryAfterMs).toEqualTypeOf<number | undefined>()
if (isOrraError(failure)) assertType<string>(failure.code)

expectTypeOf<RunEvent['type']>().toEqualTypeOf<
  | 'waiting'
  | 'approval-requested'
  | 'approval-decided'
  | 'agent-event'
  | 'run-start'
  | 'compaction'
  | 'compaction-failed'
  | 'model-call-start'
  | 'text-delta'
  | 'reasoning-delta'
  | 'input-joined'
  | 'asked-again'
  | 'model-call-end'
  | 'tool-call-start'
  | 'tool-call-progress'
  | 'tool-call-end'
  | 'run-end'
>()
