import type { Provider } from '@orra/core'
import type { ModelWire, WireLack } from '../wire/model-wire.ts'
import type { Answer, ServedCall } from './served-fetch.ts'

/** How a provider is opened: it is to call this `fetch`, with this key, without trying again by itself. */
export interface ProviderSettings {
  readonly fetch: typeof fetch
  /** '' in the scenario of a missing key. */
  readonly apiKey: string
}

export type OpenProvider = (settings: ProviderSettings) => Provider

/** What a scenario gets. */
export interface Tested {
  readonly wire: ModelWire
  /** A new provider, before a server that answers as told. */
  readonly serve: (answer: Answer, settings?: { readonly apiKey?: string }) => Served
  /** Ends the scenario. */
  readonly skip: (reason: string) => never
}

interface Served {
  readonly provider: Provider
  readonly calls: readonly ServedCall[]
}

export type Test = (tested: Tested) => Promise<void>

/** Registers one scenario. */
export type Scenario = (title: string, test: Test) => void

/** Registers the scenarios of one topic. */
export type Topic = (scenario: Scenario) => void

/** The key of every provider but the one that has none; each part of it is recognisable. */
export const KEY = 'sk-hush-7f3a9-hush-b21c4'

/** Ends a scenario that asks for what the API does not have. */
export function needs({ wire, skip }: Tested, ...all: readonly WireLack[]): void {
  for (const what of all) {
    const reason = wire.lacks?.[what]
    if (reason !== undefined) skip(reason)
  }
}
