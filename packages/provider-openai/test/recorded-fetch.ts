/** A request as it went over the wire: its body as JSON, or its form. */
interface SentRequest {
  readonly path: string
  readonly headers: Headers
  readonly json: Record<string, unknown>
  readonly form: FormData
}

type Answer = (sent: SentRequest, index: number) => Response | Promise<Response>

/** A `fetch` that answers by itself, and what it was asked. */
export function recordedFetch(answer: Answer) {
  const sent: SentRequest[] = []
  const send: typeof fetch = async (input, init) => {
    const url = String(input)
    // By this the SDK finds out whether `fetch` can send forms.
    if (url.startsWith('data:')) return new Response()
    init?.signal?.throwIfAborted()
    const { body } = init ?? {}
    const request = {
      path: new URL(url).pathname,
      headers: new Headers(init?.headers),
      json: typeof body === 'string' ? JSON.parse(body) : {},
      form: body instanceof FormData ? body : new FormData(),
    }
    sent.push(request)
    return answer(request, sent.length - 1)
  }
  return { fetch: send, sent }
}

/** Never answers, and tells when it was asked. */
export function silentFetch() {
  const asked = Promise.withResolvers<void>()
  const send: typeof fetch = (input, init) => {
    if (String(input).startsWith('data:')) return Promise.resolve(new Response())
    asked.resolve()
    return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
  }
  return { fetch: send, asked: asked.promise }
}

export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'nothing thrown',
    (error: unknown) => error,
  )
}

/** Calls that fail, whatever they are for, as status, type of the error, code, and whether they are worth trying again. */
export const FAILURES = [
  [401, 'invalid_request_error', 'provider.auth', false],
  [400, 'invalid_request_error', 'provider.bad-request', false],
  [429, 'requests', 'provider.rate-limited', true],
  [500, 'server_error', 'provider.unavailable', true],
  [503, 'server_error', 'provider.unavailable', true],
] as const

export function failing(status: number, type: string): typeof fetch {
  const error = { message: 'secret words', type, code: null, param: null }
  return recordedFetch(() => Response.json({ error }, { status })).fetch
}
