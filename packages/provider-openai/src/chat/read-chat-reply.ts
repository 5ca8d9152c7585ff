import type { ModelEvent } from '@orra/core'
import { type Fields, fieldsOf, listOf } from '../loose-json.ts'
import { bodyBytes } from './body-bytes.ts'
import { noReply } from './broken-reply.ts'
import { type AskedChat, chatReply } from './chat-reply.ts'
import { DONE, eventReader, type ServerEvent } from './event-reader.ts'
import { serverError, toApiError } from './server-error.ts'

/**
 * Reads what came back, in one piece or as a stream: some servers do the one though the other was asked for. Leaving early closes
 * the connection.
 */
export async function* readChatReply(
  response: Response,
  asked: AskedChat & { readonly streaming: boolean },
): AsyncGenerator<ModelEvent> {
  const reply = chatReply(asked)
  if (!isStream(response, asked.streaming)) {
    const [whole] = listOf(JSON.parse(await response.text()))
    yield* reply.take(withoutError(fieldsOf(whole), response))
    yield* reply.end(true)
    return
  }
  const events = eventReader()
  let saidSo = false

  function* read(found: Iterable<ServerEvent>): Generator<ModelEvent> {
    for (const { name, data } of found) {
      if (name === 'error') throw toApiError(fieldsOf(data)['error'] ?? data, response.headers)
      saidSo ||= data === DONE
      if (saidSo) return
      yield* reply.take(withoutError(fieldsOf(data), response))
    }
  }

  for await (const bytes of bodyBytes(response, { saidSo: () => saidSo, isWhole: reply.isWhole })) {
    yield* read(events.take(bytes))
  }
  if (!saidSo) yield* read(events.rest())
  if (!saidSo && !reply.isWhole() && events.endsInWords()) throw noReply(asked.provider)
  yield* reply.end(saidSo)
}

function isStream({ headers }: Response, streaming: boolean): boolean {
  const type = headers.get('content-type') ?? ''
  return streaming ? !/\bjson\b/i.test(type) : /event-stream/i.test(type)
}

function withoutError(body: Fields, { headers }: Response): Fields {
  const error = serverError(body, headers)
  if (error) throw error
  return body
}
