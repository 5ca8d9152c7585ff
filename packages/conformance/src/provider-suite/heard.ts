import {
  type ErrorCode,
  isOrraError,
  type ModelCallOptions,
  type ModelEvent,
  type ModelRequest,
  type ModelResponse,
  type OrraError,
  type Provider,
  textOf,
  toolCallsOf,
} from '@orra/core'
import { expect } from 'vitest'
import { QUESTION } from './asked.ts'
import { KEY } from './scenario.ts'

/** A whole reply as it was heard. */
export interface Heard extends ModelResponse {
  readonly text: string
  readonly textDeltas: readonly string[]
  readonly reasoning: string
  readonly reasoningDeltas: readonly string[]
}

/** A reply, which has to be one: deltas that add up, and one end, last, with everything. */
export async function heard(provider: Provider, request: ModelRequest, options: ModelCallOptions = {}): Promise<Heard> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request, options)) events.push(event)
  expect(events.filter(({ type }) => type === 'finish')).toHaveLength(1)
  const end = events.at(-1)
  if (end?.type !== 'finish') throw new Error(`The last event is "${end?.type}", and not "finish".`)
  const { type: _, ...response } = end
  const textDeltas = deltasOf(events, 'text-delta')
  const reasoningDeltas = deltasOf(events, 'reasoning-delta')
  const text = textOf(response.message)
  const reasoning = response.message.content.flatMap((part) => (part.type === 'reasoning' ? [part.text] : [])).join('')
  expect(textDeltas.join('')).toBe(text)
  expect(reasoningDeltas.join('')).toBe(reasoning)
  checkResponse(response)
  return { ...response, text, textDeltas, reasoning, reasoningDeltas }
}

function deltasOf(events: readonly ModelEvent[], type: 'text-delta' | 'reasoning-delta'): readonly string[] {
  return events.flatMap((event) => (event.type === type ? [event.text] : []))
}

function checkResponse({ message, stopReason, usage, model }: ModelResponse): void {
  expect(message.role).toBe('assistant')
  expect(JSON.parse(JSON.stringify(message))).toEqual(message)
  expect(['stop', 'tool-calls', 'length', 'refused']).toContain(stopReason)
  expect(model).toBeTypeOf('string')
  const names = ['cacheReadTokens', 'cacheWriteTokens', 'inputTokens', 'outputTokens']
  expect(Object.keys(usage).sort()).toEqual(names)
  for (const count of Object.values(usage)) expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
  const calls = toolCallsOf(message)
  for (const { callId, name, input } of calls) {
    expect(callId).not.toBe('')
    expect(name).not.toBe('')
    expect(input).toBeDefined()
  }
  expect(new Set(calls.map(({ callId }) => callId)).size).toBe(calls.length)
}

/** What a call failed with; a call that does not fail is a failure. */
export async function thrownBy(
  provider: Provider,
  request: ModelRequest,
  options: ModelCallOptions = {},
): Promise<unknown> {
  try {
    for await (const _ of provider.stream(request, options));
  } catch (error) {
    return error
  }
  throw new Error('The call did not throw.')
}

/** The typed error that a call failed with. It says nothing of what was asked, nor of the key. */
export async function failureOf(
  provider: Provider,
  request: ModelRequest,
  codes: readonly ErrorCode[],
): Promise<OrraError> {
  const error = await thrownBy(provider, request)
  if (!isOrraError(error)) throw new Error('What was thrown is no error of orra.', { cause: error })
  const failure = error as OrraError
  expect(codes, failure.message).toContain(failure.code)
  expect(failure.details).toMatchObject({ provider: provider.name })
  expectNothingTold(failure)
  return failure
}

/** What must not be read in an error: what a server says may hold what it was sent. */
export const SAID_BY_SERVER = `You said: ${QUESTION} by ${KEY}`

export function expectNothingTold({ message, details, stack = '' }: OrraError): void {
  const told = `${message} ${JSON.stringify(details)} ${stack}`
  for (const secret of [QUESTION, ...KEY.split('-').filter((part) => part.length > 3)])
    expect(told).not.toContain(secret)
}
