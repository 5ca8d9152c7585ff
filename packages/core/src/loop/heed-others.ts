import { type LinkedAbort, linkAbort } from '../abort.ts'
import type { LiveLog } from '../log/live-log.ts'
import type { Audience } from './audience.ts'

/** Who must know at once what others have written into a session: a withdrawal, a decision. */
export interface Heed {
  /** To be called whenever something may have been folded in. */
  look(): void
  /** Whoever wants the current run; aborted when its input is withdrawn. */
  attend(audience: Audience, starting?: string): Disposable
  /** Aborts with the signal, and once the input no longer waits. One at a time. */
  untilWithdrawn(input: string, signal: AbortSignal): LinkedAbort
  /** Aborts with the signal, and once somebody has decided of the call. */
  untilDecided(callId: string, signal: AbortSignal): LinkedAbort
  /** Those who want the current run. */
  readonly audience: Audience | undefined
}

export function heedOthers(log: LiveLog): Heed {
  let audience: Audience | undefined
  /** The input whose run is about to begin. */
  let starting: string | undefined
  /** What is over once its condition holds. */
  const waits = new Map<LinkedAbort, () => boolean>()

  function until(signal: AbortSignal, isOver: () => boolean): LinkedAbort {
    const linked = linkAbort(signal)
    const waiting: LinkedAbort = {
      signal: linked.signal,
      abort: linked.abort,
      [Symbol.dispose]() {
        waits.delete(waiting)
        linked[Symbol.dispose]()
      },
    }
    waits.set(waiting, isOver)
    return waiting
  }

  return {
    look() {
      const { run, inbox } = log.conversation
      const isWithdrawn = run ? run.withdrawn : starting !== undefined && !inbox.has(starting)
      if (isWithdrawn) audience?.stop(withdrawal())
      for (const [waiting, isOver] of waits) if (isOver()) waiting.abort(withdrawal())
    },
    attend(those, input) {
      audience = those
      starting = input
      return {
        [Symbol.dispose]() {
          audience = undefined
          starting = undefined
        },
      }
    },
    untilWithdrawn: (input, signal) => until(signal, () => !log.conversation.inbox.has(input)),
    untilDecided: (callId, signal) =>
      until(signal, () => log.conversation.run?.openCalls.get(callId)?.decision !== undefined),
    get audience() {
      return audience
    },
  }
}

function withdrawal(): DOMException {
  return new DOMException('The message was withdrawn, or decided of elsewhere.', 'AbortError')
}
