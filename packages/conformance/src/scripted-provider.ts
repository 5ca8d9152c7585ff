import {
  type AssistantMessage,
  type JsonValue,
  type ModelEvent,
  type ModelLimits,
  type ModelRequest,
  OrraError,
  type Provider,
  type StopReason,
  toolCallsOf,
  type Usage,
} from '@orra/core'

/** What the model does when it is called. */
export interface ScriptedTurn {
  /** Streamed word by word. */
  readonly text?: string
  readonly reasoning?: string
  /** @default callId: `call-1`, `call-2` … over the whole script */
  readonly toolCalls?: readonly { readonly name: string; readonly input?: JsonValue; readonly callId?: string }[]
  /** Instead of all others: the whole message as it stands. */
  readonly message?: AssistantMessage
  /** @default `tool-calls` when there are any, else `stop` */
  readonly stopReason?: StopReason
  /** @default 10 in, 5 out */
  readonly usage?: Partial<Usage>
  /** Thrown after the deltas and before the end, as a broken stream would. */
  readonly error?: unknown
  /** Awaited before the first delta; the call's signal ends the wait. */
  readonly before?: Promise<unknown>
  /** Awaited after the deltas; the call's signal ends the wait. */
  readonly after?: Promise<unknown>
}

/** A turn, its text, or a function of what was asked. */
export type ScriptStep = string | ScriptedTurn | ((request: ModelRequest) => string | ScriptedTurn)

export interface ScriptedProvider extends Provider {
  /** Every request so far, in order. */
  readonly requests: readonly ModelRequest[]
  /** Calls whose stream has begun and not ended; 0 when nothing leaks. */
  readonly openStreams: number
}

export interface ScriptedProviderOptions {
  /** @default `scripted-1` */
  readonly model?: string
  readonly limits?: ModelLimits
}

/**
 * A model that says what it was told to say, a step a call. A call beyond the script throws, so that a test notices.
 *
 * @example
 * const provider = scriptedProvider([{ toolCalls: [{ name: 'add', input: { a: 1, b: 2 } }] }, 'It is 3.'])
 */
export function scriptedProvider(
  steps: readonly ScriptStep[],
  options: ScriptedProviderOptions = {},
): ScriptedProvider {
  const { model = 'scripted-1', limits } = options
  const requests: ModelRequest[] = []
  let openStreams = 0
  let calls = 0

  async function* stream(request: ModelRequest, { signal }: { readonly signal?: AbortSignal | undefined } = {}) {
    const step = steps[requests.push(request) - 1]
    if (step === undefined) throw beyondScript(steps.length, requests.length)
    const made = typeof step === 'function' ? step(request) : step
    const turn = typeof made === 'string' ? { text: made } : made
    openStreams += 1
    try {
      yield* play(turn, request.model ?? model, signal)
    } finally {
      openStreams -= 1
    }
  }

  async function* play(turn: ScriptedTurn, answering: string, signal?: AbortSignal): AsyncGenerator<ModelEvent> {
    const message = turn.message ?? messageOf(turn, () => `call-${++calls}`)
    await until(turn.before, signal)
    for (const part of message.content) {
      if (part.type === 'tool-call') continue
      const type = part.type === 'text' ? 'text-delta' : 'reasoning-delta'
      for (const text of part.text.match(/\S+\s*|\s+/g) ?? []) {
        signal?.throwIfAborted()
        yield { type, text }
      }
    }
    await until(turn.after, signal)
    if (turn.error !== undefined) throw turn.error
    const stopReason = turn.stopReason ?? (toolCallsOf(message).length > 0 ? 'tool-calls' : 'stop')
    const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0, ...turn.usage }
    yield { type: 'finish', message, stopReason, usage, model: answering }
  }

  return {
    name: 'scripted',
    model,
    ...(limits ? { limits } : {}),
    stream,
    requests,
    get openStreams() {
      return openStreams
    },
  }
}

function beyondScript(steps: number, call: number): OrraError<'provider.bad-request'> {
  const message = `The script has ${steps} steps and this is call ${call}; give it more.`
  return new OrraError('provider.bad-request', message, { details: { provider: 'scripted' } })
}

function messageOf(turn: ScriptedTurn, nextCallId: () => string): AssistantMessage {
  const { reasoning, text, toolCalls = [] } = turn
  return {
    role: 'assistant',
    content: [
      ...(reasoning === undefined ? [] : [{ type: 'reasoning', text: reasoning } as const]),
      ...(text === undefined ? [] : [{ type: 'text', text } as const]),
      ...toolCalls.map(
        ({ name, input = {}, callId = nextCallId() }) => ({ type: 'tool-call', callId, name, input }) as const,
      ),
    ],
  }
}

async function until(waited: Promise<unknown> | undefined, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  if (!waited) return
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([waited, promise])
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
