import { linkAbort, untilAborted } from '../abort.ts'
import type { ApprovalDecision, ApprovalRequest } from '../store/approval-request.ts'

/** A request before somebody who is to decide it. */
export interface WaitingApproval {
  readonly request: ApprovalRequest
  /** Aborts when there is nothing to decide any more: decided, too late, the run was stopped. */
  readonly signal: AbortSignal
  /** Whether it still waited. */
  approve(): boolean
  /** `reason` is given to the model. Whether it still waited. */
  deny(reason?: string): boolean
}

/**
 * Requests in their order, each for one of those who iterate; before anybody does, they wait. Who stops iterating refuses
 * what they were given and did not decide. Once the last of them has stopped, or it is disposed of, it is closed for good.
 */
export interface ApprovalQueue extends AsyncIterable<WaitingApproval, undefined>, AsyncDisposable {}

type Result = IteratorResult<WaitingApproval, undefined>

/** One that iterates. */
interface Reader {
  readonly waiting: PromiseWithResolvers<Result>[]
  readonly given: Set<Item>
}

interface Item {
  readonly approval: WaitingApproval
  readonly settle: (decision: ApprovalDecision) => boolean
}

const CLOSED = 'Nobody is there to approve it.'

export function approvalQueue() {
  const items = new Set<Item>()
  const readers = new Set<Reader>()
  let closed = false

  /** Resolves to what is decided; rejects with the signal's reason once that aborts. */
  async function ask(
    request: ApprovalRequest,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ApprovalDecision> {
    if (closed) return { approved: false, reason: CLOSED }
    const { promise, resolve } = Promise.withResolvers<ApprovalDecision>()
    using over = linkAbort(signal)
    const settle = (decision: ApprovalDecision) => {
      if (over.signal.aborted) return false
      over.abort()
      resolve(decision)
      return true
    }
    const approve = () => settle({ approved: true })
    const deny = (reason?: string) => settle({ approved: false, ...(reason === undefined ? {} : { reason }) })
    const item: Item = { approval: { request, signal: over.signal, approve, deny }, settle }
    try {
      items.add(item)
      handOut()
      return await untilAborted(promise, signal)
    } finally {
      items.delete(item)
      for (const { given } of readers) given.delete(item)
    }
  }

  /** Whoever waits gets what waits, the oldest first. */
  function handOut(): void {
    for (const reader of readers) {
      for (const item of items) {
        const next = reader.waiting.shift()
        if (!next) break
        items.delete(item)
        reader.given.add(item)
        next.resolve({ done: false, value: item.approval })
      }
    }
  }

  function leave(reader: Reader): void {
    readers.delete(reader)
    refuse(reader.given)
    for (const next of reader.waiting.splice(0)) next.resolve({ done: true, value: undefined })
    if (readers.size === 0) close()
  }

  function close(): void {
    closed = true
    for (const reader of readers) leave(reader)
    refuse(items)
  }

  function refuse(undecided: ReadonlySet<Item>): void {
    for (const { settle } of undecided) settle({ approved: false, reason: CLOSED })
  }

  function read(): AsyncIterator<WaitingApproval, undefined> {
    const reader: Reader = { waiting: [], given: new Set() }
    if (!closed) readers.add(reader)
    return {
      next() {
        if (!readers.has(reader)) return Promise.resolve({ done: true, value: undefined })
        const next = Promise.withResolvers<Result>()
        reader.waiting.push(next)
        handOut()
        return next.promise
      },
      async return() {
        if (readers.has(reader)) leave(reader)
        return { done: true, value: undefined }
      },
    }
  }

  const reading: ApprovalQueue = { [Symbol.asyncIterator]: read, [Symbol.asyncDispose]: async () => close() }
  return { ask, reading }
}
