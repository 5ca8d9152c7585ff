import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '@orra/core'
import type { ScriptedTurn } from './scripted-provider.ts'
import { chatWire } from './wire/chat-wire.ts'
import { messagesWire } from './wire/messages-wire.ts'
import type { ModelWire, WireFailure, WireReply, WireTurn } from './wire/model-wire.ts'
import { responsesWire } from './wire/responses-wire.ts'
import { jsonReply } from './wire/wire-parts.ts'

/** What the server answers a call with. */
export interface ModelServerTurn
  extends Pick<ScriptedTurn, 'text' | 'reasoning' | 'toolCalls' | 'stopReason' | 'usage' | 'before' | 'after'> {
  /** Refuses the call in this way, instead of all others. */
  readonly failure?: WireFailure
  /** The connection breaks in the middle of the reply. @default false */
  readonly breaks?: boolean
}

/** A turn, its text, or a function of what was asked. */
export type ModelServerStep = string | ModelServerTurn | ((request: ModelServerRequest) => string | ModelServerTurn)

/** A call as the server got it. */
export interface ModelServerRequest {
  /** Anthropic's Messages, OpenAI's Responses, or Chat Completions. */
  readonly api: 'messages' | 'responses' | 'chat'
  /** In the words of that API. */
  readonly body: JsonObject
}

export interface LoopbackModelServer extends AsyncDisposable {
  /** The base URL of the Messages API, such as `http://127.0.0.1:40123`; with `/v1` after it, that of OpenAI's APIs. */
  readonly url: string
  /** Every call so far, in order. */
  readonly requests: readonly ModelServerRequest[]
}

const APIS: { readonly [path: string]: readonly [api: ModelServerRequest['api'], wire: ModelWire] } = {
  '/messages': ['messages', messagesWire],
  '/responses': ['responses', responsesWire],
  '/chat/completions': ['chat', chatWire],
}

/**
 * A model server on this machine that says what it was told to say, a step a call, in three APIs: for applications that are to
 * be tried with the provider that they have. A call beyond the script is refused, and so is one to any other address.
 *
 * @example
 * await using server = await loopbackModelServer([{ toolCalls: [{ name: 'add', input: { a: 1, b: 2 } }] }, 'It is 3.'])
 * const provider = anthropic({ model: 'claude-1', apiKey: 'any', baseURL: server.url })
 */
export async function loopbackModelServer(steps: readonly ModelServerStep[]): Promise<LoopbackModelServer> {
  const requests: ModelServerRequest[] = []
  let toolCalls = 0

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(incoming.url ?? '/', 'http://localhost').pathname
    const [api, wire] = APIS[path.replace(/^\/v1/, '')] ?? []
    if (!api || !wire) return send(response, jsonReply(404, { error: { message: 'There is no such address.' } }))
    const body = (await jsonOf(incoming)) as JsonObject
    const step = steps[requests.push({ api, body }) - 1]
    if (step === undefined)
      return send(response, wire.failure('bad-request', beyondScript(steps.length, requests.length)))
    const made = typeof step === 'function' ? step({ api, body }) : step
    const turn = typeof made === 'string' ? { text: made } : made
    if (turn.failure) return send(response, wire.failure(turn.failure, 'The script says so.'))
    const said = toWireTurn(turn, String(body['model'] ?? ''), () => `call_${++toolCalls}`)
    return send(response, wire.reply(said, { url: path, headers: {}, body }), turn)
  }

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function jsonOf(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

function beyondScript(steps: number, call: number): string {
  return `The script has ${steps} steps and this is call ${call}; give it more.`
}

function toWireTurn(turn: ModelServerTurn, model: string, nextCallId: () => string): WireTurn {
  const { reasoning, text, toolCalls = [], stopReason, usage } = turn
  return {
    model,
    ...(reasoning === undefined ? {} : { reasoning: words(reasoning) }),
    ...(text === undefined ? {} : { text: words(text) }),
    toolCalls: toolCalls.map(({ name, input = {}, callId = nextCallId() }) => {
      return { id: callId, name, input: JSON.stringify(input) }
    }),
    ...(stopReason === undefined ? {} : { stopReason }),
    usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0, ...usage },
  }
}

function words(text: string): readonly string[] {
  return text.match(/\S+\s*|\s+/g) ?? []
}

async function send(
  response: ServerResponse,
  { status, headers, pieces, needed = pieces.length }: WireReply,
  { before, after, breaks = false }: Pick<ModelServerTurn, 'before' | 'after' | 'breaks'> = {},
): Promise<void> {
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  response.once('close', resolve)
  response.writeHead(status, headers)
  response.flushHeaders()
  await Promise.race([before, gone])
  const half = Math.floor(needed / 2)
  const whole = pieces.join('')
  if (breaks) {
    const beginning = needed > 1 ? pieces.slice(0, half).join('') : whole.slice(0, whole.length / 2)
    return void response.write(beginning, () => response.destroy())
  }
  for (const piece of pieces.slice(0, needed - 1)) response.write(piece)
  await Promise.race([after, gone])
  response.end(pieces.slice(needed - 1).join(''))
}
