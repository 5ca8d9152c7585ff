import { type ApprovalRequest, mayDecide, Namespace, type Runtime } from '@orra/core'
import { askedCall, restInWords } from './approval-words.ts'
import type { Screen } from './screen.ts'
import { numberedCalls, type WaitingCall } from './waiting-calls.ts'

/** Where the speaker is asked for approvals, one at a time. */
export interface ApprovalDesk {
  /** What the next line answers, in one line; `undefined` while nothing is asked. */
  readonly question: string | undefined
  /** The call that was asked about, which is then no longer asked about; `undefined` while nothing is asked. */
  takeQuestion(): WaitingCall | undefined
  /** Asks about the oldest call that is the speaker's to decide and was not left waiting; or says that there is none. */
  ask(speaker: Namespace, signal?: AbortSignal): Promise<void>
  /** Asks about those that were left waiting, too, when it is next asked. */
  remind(): void
  /** Nothing is decided; the call waits on. */
  leave(): void
  /** All that wait for a decision in a namespace and below it, oldest first. */
  list(within: Namespace, signal?: AbortSignal): Promise<readonly WaitingCall[]>
  /** Decides once and for all, in the speaker's name. Throws `approval.gone` and `approval.forbidden`. */
  decide(call: WaitingCall, by: Namespace, approved: boolean, signal?: AbortSignal): Promise<void>
}

export function openApprovalDesk(runtime: Runtime, screen: Screen): ApprovalDesk {
  const calls = numberedCalls()
  /** Numbers of calls that the speaker did not want to decide yet. */
  const left = new Set<number>()
  let asked: WaitingCall | undefined

  function takeQuestion(): WaitingCall | undefined {
    const taken = asked
    asked = undefined
    return taken
  }

  return {
    get question() {
      return asked && `approve ${askedCall(asked.request)}? [y/N]`
    },
    takeQuestion,
    async ask(speaker, signal) {
      asked = undefined
      const waiting = await calls.list(runtime, speaker, signal)
      asked = waiting.find(({ number, request }) => !left.has(number) && isAskable(speaker, request))
      if (!asked) return screen.note('(waits for an approval; /approvals shows what is to be approved)')
      const rest = restInWords(asked.request)
      if (rest !== undefined) screen.line(rest)
    },
    remind() {
      left.clear()
    },
    leave() {
      const call = takeQuestion()
      if (!call) return
      left.add(call.number)
      screen.note(`Nothing was decided; it waits. /approvals shows it as number ${call.number}.`)
    },
    list: (within, signal) => calls.list(runtime, within, signal),
    async decide(call, by, approved, signal) {
      if (asked?.number === call.number) asked = undefined
      // Whatever becomes of this decision, nobody is asked twice in a row.
      left.add(call.number)
      const { namespace, callId, inputHash } = call.request
      await runtime.decide(Namespace.parse(namespace), callId, { approved, by, inputHash, signal })
    },
  }
}

/** Whether a call was made in the speaker's own conversation, by whoever speaks there or an agent of theirs. */
export function isOf(speaker: Namespace, { namespace }: ApprovalRequest): boolean {
  return namespace === speaker.key || speaker.child('agent').contains(Namespace.parse(namespace))
}

/** Where only others may decide, it is not the speaker who is asked. */
function isAskable(speaker: Namespace, request: ApprovalRequest): boolean {
  return mayDecide(request, speaker) && isOf(speaker, request)
}
