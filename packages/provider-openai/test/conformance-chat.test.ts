import { chatWire, describeProvider } from '@orra/conformance'
import { openaiCompatible } from '@orra/provider-openai'

for (const streaming of [true, false]) {
  describeProvider(
    streaming ? 'chat completions' : 'chat completions in one piece',
    ({ fetch, apiKey }) =>
      openaiCompatible({
        baseURL: 'http://models.example/v1',
        model: 'model-0',
        apiKey,
        fetch,
        streaming,
        maxRetries: 0,
      }),
    { wire: chatWire, streaming },
  )
}
