import type { Provider } from '@orra/core'
import { anthropic } from '@orra/provider-anthropic'
import { openai, openaiCompatible } from '@orra/provider-openai'
import { standIn } from './stand-in.ts'

export interface ChosenModel {
  readonly provider: Provider
  /** For people. */
  readonly words: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** The model that the environment has a server or a key for, else a stand-in. Any of them goes on with what another began. */
export function chooseModel(model: string | undefined, environment: Environment = process.env): ChosenModel {
  const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: openaiKey, ANTHROPIC_API_KEY: anthropicKey } = environment
  if (baseURL) {
    if (!model) throw new Error('OPENAI_BASE_URL names a server; say which of its models to use, with --model <name>.')
    const key = openaiKey ? { apiKey: openaiKey } : {}
    return chosen(openaiCompatible({ baseURL, model, ...key }), ' of the server that OPENAI_BASE_URL names')
  }
  if (anthropicKey) return chosen(anthropic({ model: model ?? 'claude-sonnet-5', apiKey: anthropicKey }))
  if (openaiKey) return chosen(openai({ model: model ?? 'gpt-5-mini', apiKey: openaiKey }))
  return {
    provider: standIn(),
    words:
      'No model is in use: a stand-in answers plain requests by rules. Set ANTHROPIC_API_KEY, OPENAI_API_KEY or OPENAI_BASE_URL to talk to one.',
  }
}

function chosen(provider: Provider, where = ''): ChosenModel {
  return { provider, words: `The model is ${provider.model}${where}.` }
}
