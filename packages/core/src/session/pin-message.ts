import type { ContextRules } from '../context/context-rules.ts'
import { saysSomething } from '../context/opening.ts'
import { OrraError } from '../errors.ts'
import type { Conversation } from '../log/conversation.ts'
import type { Namespace } from '../namespace.ts'
import { invalidOption } from '../options.ts'
import type { MessagePinnedEntry, Pin } from '../store/entry.ts'
import type { StoreOptions } from '../store/page.ts'
import type { SessionLog } from '../store/session-log.ts'

/** A session as it is folded, and what it is that is folded. */
export interface Folded {
  readonly sessionId: string | undefined
  readonly conversation: Conversation
}

/** How much of what can be sent may be pinned. */
const MOST_PINNED = 0.25

/** The entry that pins the message at `seq`. Throws `options.invalid` where none is, and `context.too-long`. */
export async function pinOf(
  { namespace, sessions }: { readonly namespace: Namespace; readonly sessions: SessionLog },
  { sessionId, conversation }: Folded,
  seq: number,
  context: ContextRules,
  options: StoreOptions,
): Promise<MessagePinnedEntry> {
  const [logged] = seq > 0 ? await sessions.read(namespace, { after: seq - 1, limit: 1, ...options }) : []
  const message = logged?.entry.type === 'message' ? logged.entry.message : undefined
  if (sessionId === undefined || !message || message.role === 'tool' || !saysSomething(message)) {
    throw invalidOption('seq', 'give that of an entry with a message of the user or the model')
  }
  const others = [...conversation.pins].flatMap(([at, pinned]) => (at === seq ? [] : pinned))
  checkPins([...others, message], context)
  return { type: 'message-pinned', session: sessionId, seq, message }
}

function checkPins(
  pinned: readonly Pin['message'][],
  { measure, budgetOf, compaction: { model } }: ContextRules,
): void {
  const estimatedTokens = pinned.reduce((sum, message) => sum + measure.message(message, model), 0)
  const budgetTokens = Math.floor(budgetOf(model).budgetTokens * MOST_PINNED)
  if (estimatedTokens <= budgetTokens) return
  const message = `All that is pinned would have about ${estimatedTokens} tokens, and ${budgetTokens} may be; unpin something first.`
  throw new OrraError('context.too-long', message, { details: { estimatedTokens, budgetTokens } })
}
