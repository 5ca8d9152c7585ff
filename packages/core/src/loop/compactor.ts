import { linkAbort, untilAborted } from '../abort.ts'
import { compactable, isTimeToCompact } from '../context/compactable.ts'
import type { Compaction } from '../log/conversation.ts'
import type { LiveLog } from '../log/live-log.ts'
import type { Namespace } from '../namespace.ts'
import { sayLive } from './live-notice.ts'
import type { Services } from './run-scope.ts'
import { notCompacted, summarise } from './summarise.ts'

/**
 * Has summaries written in the place of one session's older turns, one at a time. It needs no lease and holds nobody up:
 * the log takes a summary for as long as no other has come before it.
 */
export interface Compactor {
  /**
   * Writes one now, or waits for the one that is being written; of as much as there is where `all` is asked for. `undefined`
   * where there is nothing to sum up. Throws `context.not-compacted`, what the model throws, and the signal's reason.
   */
  compact(signal: AbortSignal, all?: boolean): Promise<Compaction | undefined>
  /** Writes one in the background, if it is time. What fails is tried again, later each time. */
  consider(): void
  /** Ends what is under way. */
  abandon(reason: unknown): void
  readonly idle: boolean
  /** Resolves once it is idle. */
  settled(): Promise<void>
}

/** After so many failures in a row the wait does not grow any more: so many times a half. */
const MOST_FAILURES = 6

export function openCompactor(namespace: Namespace, services: Services, log: LiveLog, closing: AbortSignal): Compactor {
  const { context } = services
  let writing: Promise<Compaction | undefined> | undefined
  let ending: AbortController | undefined
  let failures = 0
  /** How many times it is not considered. */
  let sitsOut = 0

  async function write(signal: AbortSignal, all: boolean): Promise<Compaction | undefined> {
    const head = await services.store.sessions.head(namespace, { signal })
    if (!head) return undefined
    await log.catchUp(head)
    const { conversation, sessionId } = log
    const chosen = compactable(conversation, context, all ? 0 : context.compaction.keep)
    if (!chosen || sessionId === undefined) return undefined
    const { metadata } = conversation
    const written = await summarise({ services, namespace, metadata, signal }, chosen)
    if (context.measure.text(written.summary, written.model) >= chosen.tokens) {
      throw notCompacted(namespace, 'its summary is no shorter than what it was to stand for')
    }
    await log.say([{ type: 'compaction', session: sessionId, ...chosen.place, ...written }])
    sayLive(services.notices, namespace, { type: 'changed' })
    // Another may have come first, and then it stands there.
    const { compaction } = log.conversation
    if (log.sessionId === sessionId && compaction && compaction.through > chosen.place.after) return compaction
    throw notCompacted(namespace, 'the session was deleted meanwhile')
  }

  /** Nobody who waits for it ends it by leaving. */
  function begin(all: boolean): Promise<Compaction | undefined> {
    const linked = linkAbort(closing)
    ending = linked
    writing = write(linked.signal, all)
      .then(
        (entry) => {
          failures = 0
          return entry
        },
        (error: unknown) => {
          failures = Math.min(failures + 1, MOST_FAILURES)
          sitsOut = 2 ** failures - 1
          throw error
        },
      )
      .finally(() => {
        linked[Symbol.dispose]()
        writing = undefined
      })
    return writing
  }

  return {
    compact: (signal, all = false) => untilAborted(writing ?? begin(all), signal),

    consider() {
      if (writing || closing.aborted || !isTimeToCompact(log.conversation, context)) return
      if (sitsOut > 0) sitsOut -= 1
      else begin(false).catch(() => {})
    },

    abandon: (reason) => ending?.abort(reason),

    get idle() {
      return writing === undefined
    },

    async settled() {
      await writing?.catch(() => {})
    },
  }
}
