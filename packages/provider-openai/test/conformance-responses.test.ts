import { describeProvider, responsesWire } from '@orra/conformance'
import { openai } from '@orra/provider-openai'

for (const streaming of [true, false]) {
  describeProvider(
    streaming ? 'responses' : 'responses in one piece',
    ({ fetch, apiKey }) => openai({ model: 'gpt-0', apiKey, fetch, streaming, maxRetries: 0 }),
    { wire: responsesWire, streaming },
  )
}
