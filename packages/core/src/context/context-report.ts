/** What is sent in one model call, what is not, and why. Token counts are estimates. */
export interface ContextReport {
  readonly model: string
  readonly windowTokens: number
  /** What instructions, tools and messages may take together: the window less the output reserve. */
  readonly budgetTokens: number
  /** What all of it is likely to cost: the parts below, corrected by what the model's last call here really cost. */
  readonly estimatedTokens: number
  readonly instructionTokens: number
  readonly toolTokens: number
  /** The summary of older turns, and what is pinned of turns that are not sent. */
  readonly openingTokens: number
  readonly messageTokens: number
  readonly sentTurns: number
  /** Of these turns; without the opening. */
  readonly sentMessages: number
  /** Turns for which a summary stands. */
  readonly compactedTurns: number
  /** Oldest turns that no longer fit, and for which nothing stands. They stay in the log. */
  readonly droppedTurns: number
  /** Tool results that are sent as a line in their place. */
  readonly droppedResults: number
  /** Tool results of which the beginning and the end are sent. */
  readonly clippedResults: number
  /** What those results would take besides. */
  readonly leftOutTokens: number
  /** Messages of the newest turn of which parts are left out, for that turn alone is too long. */
  readonly squeezedMessages: number
}
