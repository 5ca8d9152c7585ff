import { openUsageBook } from '../budget/usage-book.ts'
import { clipText } from '../context/clip-text.ts'
import type { Compactable } from '../context/compactable.ts'
import { requestTokens } from '../context/measure.ts'
import { summaryRequest } from '../context/summary-request.ts'
import { transcriptOf } from '../context/transcript.ts'
import { OrraError } from '../errors.ts'
import type { Rules } from '../gate/rules.ts'
import type { HookEvent } from '../hooks/hooks.ts'
import { toJson } from '../json.ts'
import { type AssistantMessage, textOf } from '../message.ts'
import type { Namespace } from '../namespace.ts'
import { addUsage, type ModelRequest, type ModelResponse, NO_USAGE, type Usage } from '../provider.ts'
import { payReply } from './paid-reply.ts'
import { isHeldAgainst, plannedCall } from './planned-call.ts'
import { readReply } from './receive-reply.ts'
import { beforeAppend, type Services } from './run-scope.ts'

export interface Summary {
  readonly summary: string
  /** The model that wrote it. */
  readonly model: string
  readonly usage: Usage
}

interface SummaryParts {
  readonly services: Services
  readonly namespace: Namespace
  /** The session's. */
  readonly metadata: HookEvent['metadata']
  readonly signal: AbortSignal
}

/** How long a summary is to be: a part of what may be sent, within these bounds in tokens. */
const SUMMARY_SHARE = 0.05
const SUMMARY_TOKENS = { least: 200, most: 2000 }
/** How much of what the writing model can be sent is filled with the conversation. */
const TRANSCRIPT_SHARE = 0.6
/** Once it is longer than asked for by this, the rest is left out. */
const MOST_OVER = 2

/**
 * Has a model write the summary of some turns, piece by piece where they are more than it can read at once. Throws
 * `context.not-compacted`, what the model throws, and the signal's reason.
 */
export async function summarise(parts: SummaryParts, { turns, earlier }: Compactable): Promise<Summary> {
  const { services, namespace, signal } = parts
  const { measure, compaction, budgetOf, shaper } = services.context
  const { model, instructions } = compaction
  const rules = await services.gate.at(namespace, signal)
  const { budgetTokens } = budgetOf(model)
  const share = Math.floor(budgetTokens * SUMMARY_SHARE)
  const maxTokens = Math.min(SUMMARY_TOKENS.most, Math.max(SUMMARY_TOKENS.least, share))
  const count = (text: string) => measure.text(text, model)
  const pieces = transcriptOf(turns, shaper(model, false), {
    maxTokens: Math.floor(budgetTokens * TRANSCRIPT_SHARE),
    count,
  })
  let written: Summary = { summary: earlier ?? '', model, usage: NO_USAGE }
  for (const transcript of pieces) {
    const soFar = written.summary === '' ? undefined : written.summary
    const request = summaryRequest({ model, instructions, earlier: soFar, transcript, maxTokens })
    const reply = await ask(parts, rules, request)
    const text = textOf(reply.message).trim()
    if (reply.stopReason === 'refused' || text === '') throw notCompacted(namespace, 'the model wrote no summary')
    const length = Math.floor((text.length * maxTokens * MOST_OVER) / Math.max(1, count(text)))
    const summary = await heardByHooks(
      parts,
      clipText(text, length, () => ' … '),
    )
    written = { summary, model: reply.model, usage: addUsage(written.usage, reply.usage) }
  }
  return written
}

/** The summary as it is to be written: like any message, whoever redacts what is written has a say in it. */
async function heardByHooks(parts: SummaryParts, text: string): Promise<string> {
  const message = { role: 'assistant', content: [{ type: 'text', text: toJson(text) }] } as const
  return textOf(await beforeAppend<AssistantMessage>(parts.services.hooks, baseOf(parts), message))
}

/** A reply that is paid for like any other, and counted at once, for no run will. */
async function ask(parts: SummaryParts, rules: Rules, prepared: ModelRequest): Promise<ModelResponse> {
  const { services, namespace, signal } = parts
  const { provider, context, prices, store, hooks } = services
  let request = prepared
  if (hooks.has('beforeModelCall')) {
    const outcome = await hooks.call('beforeModelCall', baseOf(parts), { request })
    if (outcome.denied !== undefined) throw notCompacted(namespace, 'a hook denies it')
    request = outcome.event.request
  }
  const { model = provider.model } = request
  if (!rules.decide({ type: 'model', name: model }).allowed) {
    throw notCompacted(namespace, `a policy does not allow the model "${model}" here`)
  }
  const sent = { model, ...context.budgetOf(model), estimatedTokens: requestTokens(context.measure, request) }
  const book = openUsageBook(namespace, store.records, { provider: provider.name, prices })
  const planned = plannedCall(services, request, sent, isHeldAgainst(services, rules))
  try {
    const reply = await payReply({ services, namespace, signal }, rules, planned, {
      lost: (call) => book.note(Date.now(), call),
      receive: (shorter, tally, { mayUse }) =>
        readReply(provider, { ...request, ...shorter }, { signal, mayUse }, tally, () => {}),
    })
    if ('reason' in reply) throw notCompacted(namespace, 'a limit leaves nothing for it')
    const asked = reply.model === model ? undefined : model
    await book.count(Date.now(), [
      {
        model: reply.model,
        asked,
        provider: reply.provider,
        askedProvider: planned.provider,
        calls: 1,
        usage: reply.usage,
      },
    ])
    return reply
  } finally {
    await book.flush().catch(() => {})
  }
}

export function notCompacted({ key }: Namespace, problem: string): OrraError<'context.not-compacted'> {
  const message = `The conversation was not compacted, and nothing was changed: ${problem}.`
  return new OrraError('context.not-compacted', message, { details: { namespace: key, problem } })
}

export function tookTooLong(namespace: Namespace): OrraError<'context.not-compacted'> {
  return notCompacted(namespace, 'it takes longer than a run waits')
}

function baseOf({ namespace, metadata, signal }: SummaryParts): HookEvent {
  return { namespace, metadata, signal }
}
