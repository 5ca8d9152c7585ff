export interface RetryBudgetOptions {
  /** How many retries may be made beyond those that replies have earned. @default 10 */
  readonly retries?: number
  /** What each reply earns, in retries. @default 0.1 */
  readonly perReply?: number
}

/** What all calls may retry together, so that those that fail do not multiply the load on what is failing. */
export interface RetryBudget {
  /** Takes one retry; `false` where none is left. */
  take(): boolean
  /** A call was answered. */
  earn(): void
}

/**
 * A bucket that is full at first: each retry takes one, each reply puts a part of one back. So while nothing is answered
 * there are no more than `retries`, and in the long run no more than `perReply` for each reply. Retry throttling of gRPC
 * (proposal A6) and the retry quota of the AWS SDKs' standard mode are the same idea.
 */
export function retryBudget({ retries = 10, perReply = 0.1 }: RetryBudgetOptions = {}): RetryBudget {
  let left = retries
  return {
    take() {
      if (left < 1) return false
      left -= 1
      return true
    },
    earn() {
      left = Math.min(retries, left + perReply)
    },
  }
}
