/** How long replies are likely to be, learned from those there were. Whose they were plays no part. */
export interface ExpectedReply {
  /** Tokens, not above the longest reply that is asked for. Until there was a reply it is that one. */
  of(maxOutputTokens: number): number
  learn(outputTokens: number): void
}

/** How much a new reply weighs against all before it. */
const NEWEST = 0.2
/** Replies differ; half of them are longer than usual. */
const MARGIN = 1.5

export function expectedReply(): ExpectedReply {
  let usual: number | undefined
  return {
    of: (maxOutputTokens) =>
      usual === undefined ? maxOutputTokens : Math.min(maxOutputTokens, Math.ceil(usual * MARGIN)),
    learn(outputTokens) {
      usual = usual === undefined ? outputTokens : usual + NEWEST * (outputTokens - usual)
    },
  }
}
