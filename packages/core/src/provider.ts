import type { JsonObject } from './json.ts'
import type { AssistantMessage, FilePart, ImagePart, Message } from './message.ts'

/**
 * A model behind one contract. It may serve any number of runs at once and holds no state of theirs.
 *
 * An implementer must keep:
 * - `stream` yields deltas while they come and then, exactly once and last, `finish`; a reply cut short is a throw;
 * - it throws only `OrraError`s whose code begins with `provider.`, or the signal's reason once that has aborted;
 * - every tool call gets a `callId` that no other call of the session has; where the model gives none, make one;
 * - leaving the iteration early closes the connection.
 */
export interface Provider {
  /** Such as `anthropic`; the key of its `providerData`. */
  readonly name: string
  /** The model used when a request names none. */
  readonly model: string
  /** What is known of `model`, where it is known. */
  readonly limits?: ModelLimits | undefined
  /**
   * What an image or a file costs, in tokens, by the provider's own rules; `undefined` for what cannot be told without
   * sending it. Synchronous, and the same for the same part. @default an estimate by its size
   */
  readonly mediaTokens?: (part: ImagePart | FilePart, model: string) => number | undefined
  stream(request: ModelRequest, options?: ModelCallOptions): AsyncIterable<ModelEvent>
}

export interface ModelLimits {
  /** Input and output together, in tokens. */
  readonly contextWindow: number
  /** The longest reply, in tokens; also to a request that sets none. */
  readonly maxOutputTokens: number
}

export interface ModelCallOptions {
  readonly signal?: AbortSignal | undefined
  /** To be called once, when the provider has begun to answer: its status and headers are there. */
  readonly connected?: (() => void) | undefined
  /**
   * Whether a model may be used, by its name and its provider's: by policies, and by what may be spent on this call. To be
   * asked by providers that choose among several, of each before they ask it; `provider` is the one that was called where
   * it is left out. @default any may
   */
  readonly mayUse?: ((model: string, provider?: string) => boolean) | undefined
}

export interface ModelRequest {
  /** @default the provider's own model */
  readonly model?: string
  /** The system prompt. */
  readonly instructions?: string
  /** Begins with a user message; every tool call is followed by its result. */
  readonly messages: readonly Message[]
  /** In the order in which they are to be sent. */
  readonly tools: readonly ToolSpec[]
  /** @default the provider's own */
  readonly maxOutputTokens?: number
  /**
   * JSON Schema of an object. The text of a reply that calls no tools is to be JSON of it: by what the API has for that, else by
   * `answerByTool`. Whether it is, the caller checks. @default any text
   */
  readonly outputSchema?: JsonObject
}

/** A tool as a model sees it. */
export interface ToolSpec {
  readonly name: string
  readonly description: string
  /** JSON Schema of an object. */
  readonly inputSchema: JsonObject
}

export type ModelEvent =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | ({ readonly type: 'finish' } & ModelResponse)

export interface ModelResponse {
  /** Whole; what the deltas added up to, and everything that had none. */
  readonly message: AssistantMessage
  readonly stopReason: StopReason
  readonly usage: Usage
  /** The model that answered, as the provider names it. */
  readonly model: string
  /** The name of the provider that answered, where one was chosen among several. @default the one that was asked */
  readonly provider?: string
}

/** `stop`: said all it had to say. `tool-calls`: wants tools run. `length`: ran into the output limit. `refused`: would not. */
export type StopReason = 'stop' | 'tool-calls' | 'length' | 'refused'

/** Tokens. */
export interface Usage {
  /** All that was sent, cached or not. */
  readonly inputTokens: number
  /** All that was made, reasoning included. */
  readonly outputTokens: number
  /** The part of the input that the provider read from its cache. */
  readonly cacheReadTokens: number
  /** The part of the input that the provider wrote to its cache. */
  readonly cacheWriteTokens: number
}

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: addCounts(a.inputTokens, b.inputTokens),
    outputTokens: addCounts(a.outputTokens, b.outputTokens),
    cacheReadTokens: addCounts(a.cacheReadTokens, b.cacheReadTokens),
    cacheWriteTokens: addCounts(a.cacheWriteTokens, b.cacheWriteTokens),
  }
}

/** A sum that stays a number that can be kept and read again. */
export function addCounts(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER)
}

/** Whether every count is there: a whole number, 0 or more. */
export function isUsage(value: unknown): value is Usage {
  return Object.keys(NO_USAGE).every((name) => isCount((value as Record<string, unknown> | null | undefined)?.[name]))
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
