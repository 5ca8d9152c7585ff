/**
 * Of a failure the SDK reads what stands under `error`; several servers put its words elsewhere, and then they would be lost.
 * With this they are there.
 */
export function tellFailure(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await send(input, init)
    if (response.ok || !/json/i.test(response.headers.get('content-type') ?? '')) return response
    const { status, statusText, headers } = response
    const text = await response.text()
    const kept = new Headers(headers)
    // The body is no longer as it came.
    for (const name of ['content-length', 'content-encoding']) kept.delete(name)
    return new Response(withError(text), { status, statusText, headers: kept })
  }
}

function withError(text: string): string {
  try {
    const body: unknown = JSON.parse(text)
    const isTold = typeof body === 'object' && body !== null && 'error' in body && body.error
    return isTold ? text : JSON.stringify({ error: body })
  } catch {
    return text
  }
}
