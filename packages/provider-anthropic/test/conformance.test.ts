import { describeProvider, messagesWire } from '@orra/conformance'
import { anthropic } from '@orra/provider-anthropic'

for (const streaming of [true, false]) {
  describeProvider(
    streaming ? 'anthropic' : 'anthropic in one piece',
    ({ fetch, apiKey }) => anthropic({ model: 'claude-1', apiKey, fetch, streaming, maxRetries: 0 }),
    { wire: messagesWire, streaming },
  )
}
