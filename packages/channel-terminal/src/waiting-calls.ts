import type { ApprovalRequest, Namespace, Runtime } from '@orra/core'

/** A call that waits for a decision, under the number that it keeps for as long as the program runs. */
export interface WaitingCall {
  readonly number: number
  readonly request: ApprovalRequest
}

/** Gives numbers to calls that wait, so that one which was read is never taken for another. */
export interface WaitingCalls {
  /** All of a namespace and below it, oldest first. */
  list(runtime: Runtime, within: Namespace, signal?: AbortSignal): Promise<readonly WaitingCall[]>
}

/** For calls of one moment: always the same order, and that of their numbers where they have some. */
const CALL_ORDER = new Intl.Collator('en', { numeric: true })

export function numberedCalls(): WaitingCalls {
  const numbers = new Map<string, number>()
  let last = 0

  function numberOf(request: ApprovalRequest): number {
    const { namespace, runId, callId, inputHash, requestedAt } = request
    const key = JSON.stringify([namespace, runId, callId, inputHash, requestedAt])
    const known = numbers.get(key)
    if (known !== undefined) return known
    last += 1
    numbers.set(key, last)
    return last
  }

  return {
    async list(runtime, within, signal) {
      const requests: ApprovalRequest[] = []
      for await (const request of runtime.approvals(within, { signal })) requests.push(request)
      return requests
        .sort((a, b) => a.requestedAt - b.requestedAt || CALL_ORDER.compare(a.callId, b.callId))
        .map((request) => ({ number: numberOf(request), request }))
    },
  }
}
