/**
 * With this an answer that sends elsewhere is an answer, and not followed: `fetch` would take the prompt and the headers to
 * whatever host it names.
 */
export function goNowhereElse(send: typeof fetch): typeof fetch {
  return (input, init) => send(input, { ...init, redirect: 'manual' })
}
