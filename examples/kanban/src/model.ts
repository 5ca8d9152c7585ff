import type { Provider } from '@orra/core'
import { anthropic } from '@orra/provider-anthropic'
import { standIn } from './stand-in.ts'

export interface ChosenModel {
  readonly provider: Provider
  /** For people. */
  readonly words: string
}

/** The model that the environment has a key for, else a stand-in. */
export function chooseModel(model = 'claude-sonnet-5'): ChosenModel {
  if (process.env['ANTHROPIC_API_KEY']) return { provider: anthropic({ model }), words: `The model is ${model}.` }
  return {
    provider: standIn(),
    words: 'No model is in use: a stand-in answers plain requests by rules. Set ANTHROPIC_API_KEY to talk to Claude.',
  }
}
