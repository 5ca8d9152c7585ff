import type { TestContext } from 'vitest'
import type { OpenProvider, Test } from './provider-suite/scenario.ts'
import { KEY } from './provider-suite/scenario.ts'
import { servedFetch } from './provider-suite/served-fetch.ts'
import { STREAM_TOPICS, TOPICS } from './provider-suite/topics.ts'
import { describeTopics } from './suite/describe-topics.ts'
import type { ModelWire } from './wire/model-wire.ts'

export interface DescribeProviderOptions {
  /** How its API looks in bytes: `messagesWire`, `responsesWire`, `chatWire`, or one of your own. */
  readonly wire: ModelWire
  /** Replies are read as they are made. @default true */
  readonly streaming?: boolean
  /**
   * Scenarios that this provider is known to fail, as `topic: title`, each with the reason. One that passes, or that there is
   * not, fails the suite. @default none
   */
  readonly gaps?: { readonly [scenario: string]: string }
}

const TIMEOUT_MS = 10_000

/**
 * Everything the contract of `Provider` asks, as one suite, without a server: the provider calls a `fetch` that answers in
 * the bytes of its API, in good ways and bad ones. `open` gives a new provider for each scenario, which must not try again
 * by itself.
 *
 * @example
 * describeProvider('mine', ({ fetch, apiKey }) => mine({ model: 'm', fetch, apiKey, maxRetries: 0 }), { wire: chatWire })
 */
export function describeProvider(
  name: string,
  open: OpenProvider,
  { wire, streaming = true, gaps = {} }: DescribeProviderOptions,
): void {
  describeTopics(name, streaming ? { ...TOPICS, ...STREAM_TOPICS } : TOPICS, {
    gaps,
    timeoutMs: TIMEOUT_MS,
    run: (test, context) => withProvider(open, wire, context, test),
  })
}

async function withProvider(open: OpenProvider, wire: ModelWire, { skip }: TestContext, test: Test): Promise<void> {
  await test({
    wire,
    skip,
    serve(answer, { apiKey = KEY } = {}) {
      const { fetch, calls } = servedFetch(answer)
      return { provider: open({ fetch, apiKey }), calls }
    },
  })
}
