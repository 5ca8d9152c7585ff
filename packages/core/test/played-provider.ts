import {
  type AssistantMessage,
  type ErrorCode,
  type ErrorDetails,
  type ModelCallOptions,
  type ModelEvent,
  type ModelLimits,
  type ModelRequest,
  type ModelResponse,
  OrraError,
  type Provider,
} from '@orra/core'

/** What a provider does in one call; every time in milliseconds after what came before. */
export interface Play {
  /** When it tells that it is connected. @default it does not tell */
  readonly connectMs?: number
  /** A number is a wait, a text a delta. */
  readonly says?: readonly (string | number)[]
  /** `nothing`: it ends without `finish`. `stall`: it never goes on. @default finish */
  readonly end?: 'finish' | 'nothing' | 'stall' | Error
}

export interface PlayedOptions {
  readonly name?: string
  /** @default `<name>-1` */
  readonly model?: string
  readonly limits?: ModelLimits
  /** It does not heed its signal. @default false */
  readonly isDeaf?: boolean
}

export interface PlayedProvider extends Provider {
  readonly requests: readonly ModelRequest[]
  readonly calls: readonly ModelCallOptions[]
  /** Calls whose stream has begun and not ended. */
  readonly open: number
}

export const USAGE = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 }

/** A provider whose every call is a play of its own; the last one is repeated. */
export function played(plays: readonly Play[], options: PlayedOptions = {}): PlayedProvider {
  const { name = 'played', model = `${name}-1`, limits, isDeaf = false } = options
  const requests: ModelRequest[] = []
  const calls: ModelCallOptions[] = []
  let open = 0

  async function* stream(request: ModelRequest, call: ModelCallOptions = {}): AsyncGenerator<ModelEvent, void> {
    const play = plays[Math.min(requests.push(request), plays.length) - 1] ?? {}
    calls.push(call)
    const signal = isDeaf ? undefined : call.signal
    const { connectMs, says = ['Hi.'], end = 'finish' } = play
    open += 1
    try {
      signal?.throwIfAborted()
      if (connectMs !== undefined) {
        await wait(connectMs, signal)
        call.connected?.()
      }
      for (const said of says) {
        if (typeof said === 'number') await wait(said, signal)
        else yield { type: 'text-delta', text: said }
      }
      if (end === 'stall') await wait(undefined, signal)
      if (end instanceof Error) throw end
      if (end === 'finish') yield finish(says, request.model ?? model)
    } finally {
      open -= 1
    }
  }

  return {
    ...{ name, model, stream, requests, calls },
    ...(limits ? { limits } : {}),
    get open() {
      return open
    },
  }
}

function finish(says: readonly (string | number)[], model: string): { readonly type: 'finish' } & ModelResponse {
  const text = says.filter((said) => typeof said === 'string').join('')
  const message: AssistantMessage = { role: 'assistant', content: [{ type: 'text', text }] }
  return { type: 'finish', message, stopReason: 'stop', usage: USAGE, model }
}

async function wait(ms: number | undefined, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
  const leave = () => reject(signal?.reason)
  signal?.addEventListener('abort', leave, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', leave)
  }
}

export const hello: ModelRequest = {
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
  tools: [],
}

/** What came of a call: all events, and the error that ended it. */
export interface Heard {
  readonly said: readonly string[]
  readonly finish: ModelResponse | undefined
  readonly error: unknown
}

export async function hear(provider: Provider, call: ModelCallOptions = {}, request = hello): Promise<Heard> {
  const said: string[] = []
  let whole: ModelResponse | undefined
  try {
    for await (const event of provider.stream(request, call)) {
      if (event.type === 'finish') whole = event
      else said.push(event.text)
    }
  } catch (error) {
    return { said, finish: whole, error }
  }
  return { said, finish: whole, error: undefined }
}

/** An error of a provider, of any code; its details are those of a failed call. */
export function failure(code: ErrorCode, details: Partial<ErrorDetails['provider.rate-limited']> = {}): OrraError {
  const all = { provider: 'played', ...details } as ErrorDetails[typeof code]
  return new OrraError(code, `It fails with ${code}.`, { details: all })
}
