/** The longest wait that is sat out in silence, in milliseconds; of a longer one the caller is told, who can do better. */
const LONGEST_WAIT_MS = 20_000

/** The SDK waits for as long as a server asks, hours even. With this it gives up at once when the wait would be long. */
export function retryOnlySoon(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await send(input, init)
    if (response.ok || (retryAfterMs(response.headers) ?? 0) <= LONGEST_WAIT_MS) return response
    const { status, statusText, body } = response
    const headers = new Headers(response.headers)
    // The header by which the API itself tells the SDK not to try again.
    headers.set('x-should-retry', 'false')
    return new Response(body, { status, statusText, headers })
  }
}

/** What a server asks for: milliseconds, seconds, or a date. */
export function retryAfterMs(headers: Headers | undefined): number | undefined {
  const exact = headers?.get('retry-after-ms')
  if (exact && /^\d+(\.\d+)?$/.test(exact)) return Number(exact)
  const value = headers?.get('retry-after')
  if (!value) return undefined
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
