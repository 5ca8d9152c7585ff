import { APIError } from 'openai'
import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses'

/** What a request goes without, since the server refused it. */
export interface LeftOut {
  /** Sealed thoughts of earlier replies, and the ids that go with them. */
  readonly thoughts?: boolean
  /** The wish for sealed thoughts. */
  readonly include?: boolean
}

const NOT_SEALED = /encrypted[ _.-]?content\b.{0,80}\b(?:not supported|unsupported|not available)/is

/** What to leave out of a request so that it is not refused again; `undefined` when that would change nothing. */
function plainerThan(sent: ResponseCreateParamsNonStreaming, refusal: unknown): LeftOut | undefined {
  if (!(refusal instanceof APIError) || refusal.status === undefined) return undefined
  const { code, param, message } = refusal
  if (code === 'invalid_encrypted_content') return hasThoughts(sent) ? { thoughts: true } : undefined
  const isInclude = /^include\b/.test(param ?? '') || NOT_SEALED.test(message)
  return isInclude && sent.include ? { include: true } : undefined
}

function hasThoughts({ input }: ResponseCreateParamsNonStreaming): boolean {
  return Array.isArray(input) && input.some(({ type }) => type === 'reasoning')
}

/** Sends a request, and a plainer one where the server takes no sealed thoughts; `make` makes it without what is left out. */
export async function sendPlainer<Reply>(
  make: (leftOut: LeftOut) => ResponseCreateParamsNonStreaming,
  send: (body: ResponseCreateParamsNonStreaming) => Promise<Reply>,
): Promise<Reply> {
  let leftOut: LeftOut = {}
  for (;;) {
    const body = make(leftOut)
    try {
      return await send(body)
    } catch (error) {
      const more = plainerThan(body, error)
      if (!more) throw error
      leftOut = { ...leftOut, ...more }
    }
  }
}
