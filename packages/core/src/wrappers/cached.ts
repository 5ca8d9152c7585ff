import { inputHash } from '../approval/input-hash.ts'
import type { JsonValue } from '../json.ts'
import { isMessageOf } from '../message.ts'
import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import { isUsage, type ModelCallOptions, type ModelEvent, type ModelRequest, type Provider } from '../provider.ts'
import { fileReplies, type KeptReplies, memoryReplies } from './kept-replies.ts'
import { wholeReply } from './whole-reply.ts'
import { checkProvider, wrapProvider } from './wrap-provider.ts'

export interface CachedOptions {
  /** A folder with a file for each reply; it is made when it is missing. @default in memory, the last thousand */
  readonly path?: string
}

/** What `mayUse` was asked about: a model, and its provider. */
type AllowedModel = Parameters<NonNullable<ModelCallOptions['mayUse']>>

interface KeptReply {
  /** What was asked about, and allowed, while it was made: whoever may not use all of it does not get the reply. */
  readonly allowed: readonly AllowedModel[]
  readonly events: readonly ModelEvent[]
}

const KNOWN = { path: true } satisfies OptionNames<CachedOptions>

/**
 * For development, where the same thing is asked again and again: a whole reply is kept, and given again with its deltas to
 * a request that is the same in everything, to whoever may use the models that were allowed when it was made. Its usage is
 * what it was then, so that budgets and limits act as they would. What is kept never expires, holds what was said, and is
 * the same for all tenants, the ids of its tool calls included: not for production. What cannot be read or written is asked
 * anew. Throws `options.invalid`.
 *
 * @example
 * const provider = cached(anthropic({ model: 'claude-sonnet-5' }), { path: '.cache/replies' })
 */
export function cached(provider: Provider, options: CachedOptions = {}): Provider {
  checkProvider('cached', provider)
  checkOptions('cached', options, KNOWN)
  const { path } = options
  if (path !== undefined && (typeof path !== 'string' || path === '')) throw invalidOption('path', 'name a folder')
  const replies = path === undefined ? memoryReplies() : fileReplies(path)

  async function* stream(request: ModelRequest, call: ModelCallOptions = {}): AsyncGenerator<ModelEvent, void> {
    const { signal, mayUse, connected } = call
    signal?.throwIfAborted()
    const { name, model } = provider
    const asked = request.model ?? model
    const key = inputHash({ provider: name, request: { ...request, model: asked } } as unknown as JsonValue)
    const kept = replyOf(await replies.get(key))
    if (kept?.allowed.every((model) => mayUse?.(...model) ?? true)) {
      connected?.()
      for (const event of kept.events) {
        signal?.throwIfAborted()
        yield event
      }
      return
    }
    const events: ModelEvent[] = []
    const allowed: AllowedModel[] = []
    const noting: ModelCallOptions['mayUse'] = (name, of) => {
      const isAllowed = mayUse?.(name, of) ?? true
      if (isAllowed) allowed.push(of === undefined ? [name] : [name, of])
      return isAllowed
    }
    for await (const event of wholeReply(provider, request, { ...call, mayUse: noting })) {
      events.push(event)
      if (event.type === 'finish') await keep(replies, key, { allowed, events })
      yield event
    }
  }

  return wrapProvider(provider, stream)
}

async function keep(replies: KeptReplies, key: string, reply: KeptReply): Promise<void> {
  try {
    await replies.set(key, JSON.stringify(reply))
  } catch {
    // It will be asked anew.
  }
}

/** A reply as it was kept, if it is whole. */
function replyOf(text: string | undefined): KeptReply | undefined {
  if (text === undefined) return undefined
  try {
    const reply: unknown = JSON.parse(text)
    return isReply(reply) ? reply : undefined
  } catch {
    return undefined
  }
}

function isReply(value: unknown): value is KeptReply {
  const { allowed, events } = (value ?? {}) as Partial<KeptReply>
  if (!Array.isArray(allowed) || !allowed.every(isAllowedModel)) return false
  return Array.isArray(events) && events.slice(0, -1).every(isDelta) && isFinish(events.at(-1))
}

function isAllowedModel(value: unknown): value is AllowedModel {
  return (
    Array.isArray(value) && value.length > 0 && value.length <= 2 && value.every((name) => typeof name === 'string')
  )
}

function isDelta(event: Partial<ModelEvent> | null): boolean {
  return (event?.type === 'text-delta' || event?.type === 'reasoning-delta') && typeof event.text === 'string'
}

function isFinish(event: Partial<ModelEvent> | null | undefined): boolean {
  if (event?.type !== 'finish') return false
  return isMessageOf('assistant', event.message) && isUsage(event.usage) && typeof event.model === 'string'
}
