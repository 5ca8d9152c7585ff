import type { AssistantMessage, ContentPart, JsonValue, Message } from '@orra/core'
import { WEATHER } from './asked.ts'
import { pseudoRandom } from './chunks.ts'

const HALF = '\ud83d'
const TEXTS = ['Hello', '', ' ', '\n\t', HALF, `cut ${HALF}`, 'Grüße 👩‍🚀', '{"a":1}', '\0', 'x'.repeat(2000)]
const IDS = [
  'a',
  'b',
  'a-1',
  'a_1',
  'call:1|fc_/+=',
  'toolu_1',
  '',
  'é',
  `half${HALF}`,
  'x'.repeat(70),
  `${'x'.repeat(70)}y`,
]
const NAMES = [WEATHER.name, 'gone', 'a.b/c', '', 'x'.repeat(90), HALF, 'prüfen']
const INPUTS: readonly JsonValue[] = [{}, { city: 'Rome' }, { [HALF]: [HALF] }, '{"city":', '', null, [1], 7]

/** Red, 1 by 1. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='

const PARTS: readonly ContentPart[] = [
  { type: 'image', mediaType: 'image/png', data: PNG },
  { type: 'image', mediaType: 'image/png', url: 'https://images.example/a.png' },
  { type: 'image', mediaType: 'image/tiff', data: 'aGk=' },
  { type: 'file', mediaType: 'text/plain', data: 'aGVsbG8=', name: 'a.txt' },
  { type: 'file', mediaType: 'application/x-unknown', data: '' },
]

/** A conversation as nobody should have had it, another one for every seed. */
export function anyConversation(seed: number): readonly Message[] {
  const next = pseudoRandom(seed)
  const one = <T>(list: readonly [T, ...T[]] | readonly T[]): T => list[next() % list.length] as T
  const several = <T>(most: number, make: () => T): T[] => Array.from({ length: next() % (most + 1) }, make)
  const text = () => ({ type: 'text', text: one(TEXTS) }) as const
  const said = (): ContentPart => (next() % 3 === 0 ? one(PARTS) : text())
  const made = (): AssistantMessage['content'][number] => {
    const kind = next() % 4
    if (kind === 0)
      return { type: 'reasoning', text: one(TEXTS), providerData: { 'another-provider': { id: 'of-another' } } }
    return kind === 1 ? text() : { type: 'tool-call', callId: one(IDS), name: one(NAMES), input: one(INPUTS) }
  }
  const result = () =>
    ({
      type: 'tool-result',
      callId: one(IDS),
      name: one(NAMES),
      content: several(2, said),
      isError: next() % 4 === 0,
    }) as const
  const message = (): Message => {
    const kind = next() % 3
    if (kind === 0) return { role: 'user', content: several(2, said) }
    return kind === 1 ? { role: 'assistant', content: several(4, made) } : { role: 'tool', content: several(2, result) }
  }
  return [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }, ...several(12, message)]
}
