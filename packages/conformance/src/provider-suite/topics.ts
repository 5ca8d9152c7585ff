import { abortScenarios } from './aborts.ts'
import { answerScenarios } from './answers-by-schema.ts'
import { chunkScenarios } from './chunk-borders.ts'
import { connectionScenarios } from './connections.ts'
import { failureScenarios } from './failures.ts'
import { handOverScenarios } from './hand-over.ts'
import { keyScenarios } from './keys.ts'
import { parallelScenarios } from './parallel.ts'
import { replyScenarios } from './replies.ts'
import { requestScenarios } from './requests.ts'
import type { Topic } from './scenario.ts'
import { strangerScenarios } from './strangers.ts'
import { streamScenarios } from './streams.ts'
import { toolCallScenarios } from './tool-calls.ts'
import { usageScenarios } from './usage.ts'

/** What every provider is asked. */
export const TOPICS: { readonly [topic: string]: Topic } = {
  'a reply': replyScenarios,
  'a tool call': toolCallScenarios,
  usage: usageScenarios,
  'a request': requestScenarios,
  'an answer by a schema': answerScenarios,
  'a conversation that others began': handOverScenarios,
  'the borders of chunks': chunkScenarios,
  'a failure': failureScenarios,
  'what is no reply': strangerScenarios,
  'the connection': connectionScenarios,
  'an aborted signal': abortScenarios,
  'the key': keyScenarios,
  'several calls at once': parallelScenarios,
}

/** What a provider is asked besides when it reads replies as they are made. */
export const STREAM_TOPICS: { readonly [topic: string]: Topic } = {
  'a stream': streamScenarios,
}
