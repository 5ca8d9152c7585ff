import type Anthropic from '@anthropic-ai/sdk'
import { type JsonValue, type ModelEvent, type ModelResponse, OrraError } from '@orra/core'
import { toModelResponse } from './from-anthropic-message.ts'

/** Puts a streamed reply together. */
export interface ReplyAssembler {
  /** Takes the next event of the stream; returns what a reader wants to see of it at once. */
  take(event: Anthropic.RawMessageStreamEvent): ModelEvent | undefined
  /**
   * The reply, once the stream has ended. Throws `provider.bad-reply` when there was none, and `provider.connection` when
   * the stream ended before it did.
   */
  finish(): ModelResponse
}

/** A block while it grows. */
interface GrowingBlock {
  readonly block: Anthropic.ContentBlock
  text: string
  signature: string
}

export function replyAssembler(): ReplyAssembler {
  const blocks: GrowingBlock[] = []
  let message: Anthropic.Message | undefined
  let whole = false

  return {
    take(event) {
      switch (event.type) {
        case 'content_block_delta': {
          const growing = blocks[event.index]
          return growing && grow(growing, event.delta)
        }
        case 'content_block_start':
          blocks[event.index] = { block: event.content_block, text: '', signature: '' }
          return undefined
        case 'message_start':
          message = event.message
          return undefined
        case 'message_delta':
          if (message) message = withDelta(message, event)
          return undefined
        case 'message_stop':
          whole = true
          return undefined
        default:
          return undefined
      }
    },
    finish() {
      if (!message) throw noReply()
      if (!whole) throw cutShort()
      // A server that skips an index leaves a hole.
      return toModelResponse({ ...message, content: blocks.filter(Boolean).map(grown) })
    },
  }
}

function grow(growing: GrowingBlock, delta: Anthropic.RawContentBlockDelta): ModelEvent | undefined {
  switch (delta.type) {
    case 'text_delta':
      growing.text += delta.text
      return { type: 'text-delta', text: delta.text }
    case 'thinking_delta':
      growing.text += delta.thinking
      return { type: 'reasoning-delta', text: delta.thinking }
    case 'input_json_delta':
      growing.text += delta.partial_json
      return undefined
    case 'signature_delta':
      growing.signature += delta.signature
      return undefined
    default:
      return undefined
  }
}

function grown({ block, text, signature }: GrowingBlock): Anthropic.ContentBlock {
  if (block.type === 'text') return { ...block, text: block.text + text }
  if (block.type === 'thinking')
    return { ...block, thinking: block.thinking + text, signature: block.signature + signature }
  if (block.type === 'tool_use' && text !== '') return { ...block, input: parseInput(text) }
  return block
}

/** Text that is no JSON is kept as it is, for the tool's schema to refuse in words that the model sees. */
function parseInput(text: string): JsonValue {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Counts in a delta stand for the whole reply so far; those it leaves out stay. */
function withDelta(message: Anthropic.Message, { delta, usage }: Anthropic.RawMessageDeltaEvent): Anthropic.Message {
  const known = Object.fromEntries(Object.entries(usage ?? {}).filter(([, count]) => count !== null))
  return { ...message, stop_reason: delta.stop_reason, usage: { ...message.usage, ...known } }
}

export function noReply(): OrraError<'provider.bad-reply'> {
  const message = 'What came back is no reply of the Messages API; is the base URL right?'
  return new OrraError('provider.bad-reply', message, { details: { provider: 'anthropic' } })
}

function cutShort(): OrraError<'provider.connection'> {
  const message = 'The reply from Anthropic ended in the middle; try again.'
  return new OrraError('provider.connection', message, { details: { provider: 'anthropic' } })
}
