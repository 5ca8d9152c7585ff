import type Anthropic from '@anthropic-ai/sdk'
import { type JsonValue, type ModelEvent, OrraError } from '@orra/core'
import { toModelResponse } from './from-anthropic-message.ts'

/** A block while it grows. */
interface GrowingBlock {
  readonly block: Anthropic.ContentBlock
  text: string
  signature: string
}

/** Hands deltas on as they come and ends with the whole reply. Throws when the stream ends before the reply does. */
export async function* readAnthropicStream(
  events: AsyncIterable<Anthropic.RawMessageStreamEvent>,
): AsyncGenerator<ModelEvent> {
  const blocks: GrowingBlock[] = []
  let message: Anthropic.Message | undefined
  let whole = false

  for await (const event of events) {
    switch (event.type) {
      case 'message_start':
        message = event.message
        break
      case 'content_block_start':
        blocks[event.index] = { block: event.content_block, text: '', signature: '' }
        break
      case 'content_block_delta': {
        const growing = blocks[event.index]
        const delta = growing && grow(growing, event.delta)
        if (delta) yield delta
        break
      }
      case 'message_delta':
        if (message) message = withDelta(message, event)
        break
      case 'message_stop':
        whole = true
        break
      default:
        break
    }
  }

  if (!message || !whole) throw cutShort()
  yield { type: 'finish', ...toModelResponse({ ...message, content: blocks.map(grown) }) }
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
  const known = Object.fromEntries(Object.entries(usage).filter(([, count]) => count !== null))
  return { ...message, stop_reason: delta.stop_reason, usage: { ...message.usage, ...known } }
}

function cutShort(): OrraError<'provider.connection'> {
  const message = 'The reply from Anthropic ended in the middle; try again.'
  return new OrraError('provider.connection', message, { details: { provider: 'anthropic' } })
}
