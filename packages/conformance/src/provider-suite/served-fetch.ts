import type { WireCall, WireReply } from '../wire/model-wire.ts'

/** What a call is answered with: a reply, its body as it comes, or what `fetch` throws. */
export type Answer = (call: ServedCall) => ServedReply | Promise<ServedReply>

export interface ServedReply extends Omit<WireReply, 'pieces' | 'needed'> {
  /** Each chunk is given when it is asked for; what this throws breaks the connection. */
  readonly body: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>
}

/** A call that was made, and what became of its connection. */
export interface ServedCall extends WireCall {
  readonly signal: AbortSignal | undefined
  /** Resolves when the caller has closed the connection before its end. */
  readonly closed: Promise<void>
}

export interface ServedFetch {
  readonly fetch: typeof fetch
  /** Every call so far, in order. */
  readonly calls: readonly ServedCall[]
}

/** A server that there is not: `fetch` as the platform has it, which answers as it is told. */
export function servedFetch(answer: Answer): ServedFetch {
  const calls: ServedCall[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined
    const signal = init?.signal ?? request?.signal
    signal?.throwIfAborted()
    const sent = typeof init?.body === 'string' ? init.body : ((await request?.clone().text()) ?? '{}')
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    const headers = Object.fromEntries(new Headers(init?.headers ?? request?.headers))
    const call = { url: request?.url ?? String(input), headers, body: JSON.parse(sent), signal, closed }
    calls.push(call)
    const abort = () => close()
    const ended = () => signal?.removeEventListener('abort', abort)
    signal?.addEventListener('abort', abort, { once: true })
    const { status, headers: given, body } = await orAborted(Promise.resolve(answer(call)), signal)
    return new Response(toStream(body, signal, ended, close), { status, headers: given })
  }
  return { fetch, calls }
}

function toStream(
  body: ServedReply['body'],
  signal: AbortSignal | undefined,
  ended: () => void,
  close: () => void,
): ReadableStream {
  const chunks = Symbol.asyncIterator in body ? body[Symbol.asyncIterator]() : body[Symbol.iterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await orAborted(Promise.resolve(chunks.next()), signal)
        if (done) {
          ended()
          controller.close()
        } else controller.enqueue(typeof value === 'string' ? Buffer.from(value) : value)
      },
      cancel() {
        ended()
        close()
      },
    },
    // Nothing is made before it is asked for.
    { highWaterMark: 0 },
  )
}

/** As `fetch` has it: what is under way ends with the signal's reason. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  work.catch(() => {})
  if (!signal) return work
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  if (signal.aborted) return Promise.reject(signal.reason)
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', abort))
}
