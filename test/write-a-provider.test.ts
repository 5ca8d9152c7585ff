import { describeProvider } from '@orra/conformance'
import { documentedProvider } from './documented-provider.ts'

const { ollama, ollamaWire } = await documentedProvider()

describeProvider('the provider of the documents', ({ fetch }) => ollama({ model: 'llama3.2', fetch }), {
  wire: ollamaWire,
})
