import { isOrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { Entry, InputEntry } from '../store/entry.ts'
import type { SessionHead } from '../store/session-head.ts'
import type { AppendOptions, AppendResult, SessionLog } from '../store/session-log.ts'
import { type Conversation, compactedConversation, emptyConversation } from './conversation.ts'
import { foldEntry } from './fold-entry.ts'
import type { KeptLease } from './keep-lease.ts'

/**
 * A session's log as one process sees it: the store's entries and, beside them, their fold, kept up to date instead of
 * read again. Everything goes through one at a time, so parallel tools cannot disturb each other. What is handed to it
 * is folded as it is, so nobody may change it afterwards.
 */
export interface LiveLog {
  readonly namespace: Namespace
  /** The fold. Another object once the session was found to be another, so ask for it anew. */
  readonly conversation: Conversation
  /** Of the session that is folded. */
  readonly sessionId: string | undefined
  /** Accepts an input, durably. `accepted` is told of it before anybody here can see it. Resolves to what that returns. */
  accept<T>(entry: InputEntry, options: AcceptOptions, accepted: (acceptance: Acceptance) => T): Promise<T>
  /** Takes inputs back. */
  withdraw(inputs: readonly string[], denial?: string): Promise<void>
  /** Writes entries that anybody may, lease or not; those that say nothing any more are left out. */
  say(entries: readonly Entry[]): Promise<void>
  /** Writes the entries, all or none, and folds them in. When that fails the lease is given up, but for `store.input-gone`. */
  append(entries: readonly Entry[], lease: KeptLease): Promise<void>
  /** Reads and folds what others have appended since. `head` is the session's, where it is known. */
  catchUp(head?: SessionHead): Promise<void>
  /** Throws the fold away; the next `catchUp` folds the log anew. */
  forget(): Promise<void>
}

interface AcceptOptions {
  readonly signal: AbortSignal
  readonly ifIdle: boolean
  /** Only if it was accepted before: else `store.conflict` is thrown. */
  readonly ifKnown: boolean
}

interface Acceptance {
  readonly place: Place
  /** False when its key had been accepted before. */
  readonly isNew: boolean
}

/** Where an input was accepted. */
export interface Place {
  /** The session's own id. */
  readonly sessionId: string
  readonly seq: number
}

/** `grown` is called whenever this process has written to it. */
export function openLiveLog(namespace: Namespace, sessions: SessionLog, grown: () => void = () => {}): LiveLog {
  let conversation = emptyConversation()
  let sessionId: string | undefined
  let last: Promise<unknown> = Promise.resolve()

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }

  function reset(id?: string): void {
    conversation = emptyConversation()
    sessionId = id
  }

  /** A session that was deleted and made anew has nothing to do with what was folded. */
  function recognise({ id }: SessionHead): void {
    if (sessionId !== id) reset(id)
  }

  /** To the end, or as far as the session is known to go. */
  async function readOn(length = Number.POSITIVE_INFINITY): Promise<void> {
    while (conversation.length < length) {
      const entries = await sessions.read(namespace, { after: conversation.length })
      if (entries.length === 0) return
      for (const { seq, at, entry } of entries) foldEntry(conversation, seq, entry, at)
    }
  }

  /** To the end of a session whose head is known: from its last compaction on, where that says all that came before. */
  async function readTo(head: SessionHead): Promise<void> {
    const isCompacted = conversation.length === 0 && (await beginAtCompaction(head))
    await readOn(head.length)
    if (!isCompacted || isWhole(head)) return
    reset(head.id)
    await readOn(head.length)
  }

  async function beginAtCompaction({ compaction, metadata }: SessionHead): Promise<boolean> {
    if (!compaction) return false
    const [logged] = await sessions.read(namespace, { after: compaction.seq - 1, limit: 1 })
    if (logged?.entry.type !== 'compaction' || conversation.length > 0) return false
    if (logged.entry.through >= logged.seq) return false
    conversation = compactedConversation(logged.entry, metadata)
    return true
  }

  /** Whether all that is still to be done was accepted after the compaction. */
  function isWhole({ inbox, openRun }: SessionHead): boolean {
    return inbox.every((key) => conversation.inbox.has(key)) && (!openRun || conversation.run?.isKnown === true)
  }

  async function write(entries: readonly Entry[], options: AppendOptions): Promise<void> {
    await foldIn(entries, await sessions.append(namespace, entries, options))
  }

  async function foldIn(entries: readonly Entry[], { seqs, head, written }: AppendResult): Promise<void> {
    if (head.length === 0) return
    recognise(head)
    const next = conversation.length + 1
    if (written === entries.length && seqs.every((seq, index) => seq === next + index)) {
      for (const [index, entry] of entries.entries()) foldEntry(conversation, next + index, entry, head.updatedAt)
    } else {
      // Others' inputs have come in between; or an input was there already, and may say something else.
      await readTo(head)
    }
    grown()
  }

  return {
    namespace,
    get conversation() {
      return conversation
    },
    get sessionId() {
      return sessionId
    },
    accept: (entry, { signal, ifIdle, ifKnown }, accepted) =>
      inTurn(async () => {
        signal.throwIfAborted()
        const result = await sessions.append(namespace, [entry], { ifIdle, ifKnown })
        const told = accepted({
          place: { sessionId: result.head.id, seq: result.seqs[0] as number },
          isNew: result.written > 0,
        })
        await foldIn([entry], result)
        return told
      }),
    withdraw: (inputs, denial) =>
      inTurn(() => {
        const why = denial === undefined ? {} : { denial }
        return write(
          inputs.map((input) => ({ type: 'input-withdrawn', input, ...why })),
          {},
        )
      }),
    say: (entries) => inTurn(() => write(entries, {})),
    append: (entries, lease) =>
      inTurn(async () => {
        try {
          lease.signal.throwIfAborted()
          await write(entries, { epoch: lease.epoch })
        } catch (error) {
          if (!isOrraError(error, 'store.input-gone')) lease.lose(error)
          throw error
        }
      }),
    catchUp: (head) =>
      inTurn(async () => {
        if (!head) return await readOn()
        recognise(head)
        await readTo(head)
      }),
    forget: () => inTurn(async () => reset()),
  }
}
