import { type Conversation, emptyConversation, foldEntry } from './conversation.ts'
import type { Entry, InputEntry } from './entry.ts'
import type { HookRunner } from './hooks.ts'
import type { Namespace } from './namespace.ts'
import type { SessionHead } from './session-head.ts'
import type { SessionLog } from './store.ts'
import { wellFormed } from './well-formed.ts'

/**
 * A session's log as one process sees it: the store's entries and, beside them, their fold, kept up to date instead of
 * read again. Everything goes through one at a time, so parallel tools cannot disturb each other.
 */
export interface LiveLog {
  readonly namespace: Namespace
  /** The fold. Another object after `forget`, so ask for it anew. */
  readonly conversation: Conversation
  /** Accepts an input, durably; returns its `seq`, and hands it to `accepted` before anybody here can see the input. */
  accept(entry: InputEntry, signal: AbortSignal, accepted: (seq: number) => void): Promise<number>
  /** Takes back an input that nobody has taken yet. */
  withdraw(input: number): Promise<void>
  /** Writes the entries, all or none, and folds them in. Throws `store.fenced` and `store.input-gone`. */
  append(entries: readonly Entry[], writer: LogWriter): Promise<void>
  /** Reads and folds what others have appended since. */
  catchUp(): Promise<void>
  /** Throws the fold away; the next `catchUp` reads from the beginning. */
  forget(): void
}

/** Who appends under a lease. */
interface LogWriter {
  readonly epoch: number
  readonly runId: string
  readonly signal: AbortSignal
}

const READ_LIMIT = 1000

export function openLiveLog(namespace: Namespace, sessions: SessionLog, hooks: HookRunner): LiveLog {
  let conversation = emptyConversation()
  let createdAt: number | undefined
  let last: Promise<unknown> = Promise.resolve()

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }

  async function readOn(): Promise<void> {
    for (;;) {
      const entries = await sessions.read(namespace, { after: conversation.length, limit: READ_LIMIT })
      if (entries.length === 0) return
      for (const { seq, entry } of entries) foldEntry(conversation, seq, entry)
    }
  }

  function forget(): void {
    conversation = emptyConversation()
    createdAt = undefined
  }

  /** A session that was deleted and made anew has nothing to do with what was folded. */
  function forgetIfReplaced(head: SessionHead): void {
    if (createdAt !== undefined && (head.createdAt !== createdAt || head.length < conversation.length)) forget()
    createdAt = head.createdAt
  }

  async function write(given: readonly Entry[], epoch?: number, written?: (seq: number) => void): Promise<number> {
    const entries = wellFormed(given)
    const { seqs, head } = await sessions.append(namespace, entries, epoch === undefined ? {} : { epoch })
    const first = seqs[0] as number
    written?.(first)
    forgetIfReplaced(head)
    const next = conversation.length + 1
    // Others' inputs may have come in between.
    if (seqs.every((seq, index) => seq === next + index)) {
      for (const [index, entry] of entries.entries()) foldEntry(conversation, next + index, entry)
    } else {
      await readOn()
    }
    return first
  }

  async function hooked(entry: Entry, base: { readonly runId?: string; readonly signal: AbortSignal }): Promise<Entry> {
    return (await hooks.call('beforeAppend', { namespace, ...base }, { entry })).event.entry
  }

  return {
    namespace,
    get conversation() {
      return conversation
    },
    accept: (entry, signal, accepted) =>
      inTurn(async () => {
        signal.throwIfAborted()
        const input = hooks.has('beforeAppend') ? await hooked(entry, { signal }) : entry
        return write([input], undefined, accepted)
      }),
    withdraw: (input) =>
      inTurn(async () => {
        await write([{ type: 'input-withdrawn', input }])
      }),
    append: (entries, { epoch, runId, signal }) =>
      inTurn(async () => {
        if (!hooks.has('beforeAppend')) await write(entries, epoch)
        else await write(await Promise.all(entries.map((entry) => hooked(entry, { runId, signal }))), epoch)
      }),
    catchUp: () => inTurn(readOn),
    forget,
  }
}
