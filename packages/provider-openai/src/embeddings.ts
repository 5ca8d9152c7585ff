// Everything here is public API: a name that is added is a promise.
export {
  type EmbedOptions,
  type OpenAIEmbeddings,
  type OpenAIEmbeddingsOptions,
  openaiEmbeddings,
} from './embeddings/openai-embeddings.ts'
