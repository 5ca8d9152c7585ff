import type { ModelCallOptions, ModelRequest } from '../provider.ts'

/** Counts the tokens of a text as a model does. */
export interface TokenCounter {
  /** Synchronous, and the same for the same text and model: each text is counted once and the number kept. */
  countText(text: string, model: string): number
}

/** Counts the tokens of a whole request, as the provider itself would. */
export interface RequestCounter {
  /** Throws what a model call throws, and the signal's reason. */
  countRequest(request: ModelRequest, options?: ModelCallOptions): Promise<number>
}
