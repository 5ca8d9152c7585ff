import { type Dispatcher, request } from 'undici'

/**
 * `fetch` for one purpose: a POST whose answer is streamed. It skips the web streams and the bookkeeping of the platform's
 * `fetch`, which cost more client CPU than all the rest of a model call. It shares the platform's connections, proxies and
 * mocks by way of undici's global dispatcher; it follows no redirects, which no model API has.
 *
 * A stream comes as what the SDK reads of a `Response`: its status, its headers, and a body to iterate over.
 */
export const undiciFetch: typeof fetch = async (input, init = {}) => {
  const { method = 'GET', body: sent, signal } = init
  const asked = request(String(input), {
    method: method as 'GET' | 'POST',
    headers: Object.fromEntries(new Headers(init.headers)),
    body: typeof sent === 'string' ? sent : null,
    signal: signal ?? null,
  })
  const answer = await (signal ? orAborted(asked, signal) : asked)
  const { statusCode: status, body } = answer
  const headers = toHeaders(answer.headers)
  if (headers.get('content-type')?.startsWith('text/event-stream') && status === 200) {
    return { ok: true, status, headers, url: String(input), body } as unknown as Response
  }
  return new Response(mayHaveBody(status) ? await body.text() : null, { status, headers })
}

/** `request` heeds its signal only once it is connected, which may take long or come to nothing. */
function orAborted(asked: Promise<Dispatcher.ResponseData>, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason)
      asked.then(discard, () => {})
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => {}).destroy()
}

function toHeaders(given: { readonly [name: string]: string | readonly string[] | undefined }): Headers {
  const headers = new Headers()
  for (const [name, values] of Object.entries(given)) {
    for (const value of [values ?? []].flat()) headers.append(name, value)
  }
  return headers
}

function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304
}
