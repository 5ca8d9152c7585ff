import type { ContentPart, FilePart, ImagePart, Message } from '@orra/core'
import { isOrraError } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { toAnthropicRequest } from '../src/to-anthropic-request.ts'
import { problemsIn } from './legal-messages-request.ts'
import { pdf, png } from './media.ts'

const image = (data: string): ImagePart => ({ type: 'image', mediaType: 'image/png', data })
const document = (data: string, name: string): FilePart => ({ type: 'file', mediaType: 'application/pdf', data, name })
const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))
const user = (...content: readonly ContentPart[]): Message => ({ role: 'user', content })

/** What becomes of the parts of one message, by the types of their blocks; the request is legal. */
function sent(...parts: readonly ContentPart[]): readonly { readonly type: string; readonly text?: string }[] {
  const body = toAnthropicRequest({ messages: [user(...parts)], tools: [] }, { ...defaults })
  expect(problemsIn(body)).toEqual([])
  return body.messages[0]?.content as never
}

const defaults = { model: 'm', maxOutputTokens: 100, promptCaching: false }
const typesOf = (blocks: readonly { readonly type: string }[]) => blocks.map(({ type }) => type)
const words = (count: number) => Array<string>(count).fill('text')
const images = (count: number) => Array<string>(count).fill('image')

describe('more than a request may hold', () => {
  it('of images: the newest are kept, and the next of them change nothing that is sent already', () => {
    expect(typesOf(sent(...times(100, () => image(png(5, 5)))))).toEqual(images(100))
    expect(typesOf(sent(...times(101, () => image(png(5, 5)))))).toEqual([...words(25), ...images(76)])
    expect(typesOf(sent(...times(125, () => image(png(5, 5)))))).toEqual([...words(25), ...images(100)])
    expect(sent(...times(101, () => image(png(5, 5))))[0]?.text).toBe(
      '[The image (image/png) is no longer shown, to leave room for newer ones.]',
    )
  })

  it('of large images: twenty are taken, large or not, and any number of small ones', () => {
    expect(typesOf(sent(...times(20, () => image(png(8000, 5)))))).toEqual(images(20))
    expect(typesOf(sent(...times(60, () => image(png(2000, 5)))))).toEqual(images(60))
    const mixed = times(23, (index) => image(png(index === 22 ? 4032 : 50, 5)))
    expect(typesOf(sent(...mixed))).toEqual([...words(5), ...images(18)])
  })

  it('of pages: the oldest documents go, and never the newest for the sake of a round number', () => {
    const documents = [document(pdf(60), 'a.pdf'), document(pdf(30), 'b.pdf'), document(pdf(20), 'c.pdf')]
    expect(typesOf(sent(...documents))).toEqual(['text', 'document', 'document'])
    expect(sent(...documents)[0]?.text).toBe(
      '[The file a.pdf (application/pdf) is no longer shown, to leave room for newer ones.]',
    )
    const last = [document(pdf(1), 'a.pdf'), document(pdf(100), 'b.pdf')]
    expect(typesOf(sent(...last))).toEqual(['text', 'document'])
  })

  it('of bytes: the oldest media go until the rest fits', () => {
    const large = times(8, () => image(png(5, 5, 3_200_000)))
    expect(typesOf(sent(...large))).toEqual([...words(2), ...images(6)])
    const last = [image(png(5, 5)), document(pdf(1, { moreBytes: 22_000_000 }), 'a.pdf'), image(png(5, 5, 3_000_000))]
    expect(typesOf(sent(...last))).toEqual(['text', 'text', 'image'])
  })

  it('in results of tools, in the middle of what they say', () => {
    const messages: Message[] = [user({ type: 'text', text: 'Look' })]
    for (const callId of ['a', 'b']) {
      const content: ContentPart[] = [{ type: 'text', text: callId }, ...times(60, () => image(png(5, 5)))]
      messages.push({ role: 'assistant', content: [{ type: 'tool-call', callId, name: 'look', input: {} }] })
      messages.push({ role: 'tool', content: [{ type: 'tool-result', callId, name: 'look', content }] })
    }
    const body = toAnthropicRequest({ messages, tools: [] }, defaults)
    expect(problemsIn(body)).toEqual([])
    const results = body.messages.flatMap(({ content }) => content as { content?: { type: string }[] }[])
    expect(results.map(({ content }) => content?.filter(({ type }) => type === 'image').length ?? 0)).toEqual([
      0, 0, 35, 0, 60,
    ])
  })

  it('of text alone is told before it is sent', () => {
    const text = 'x'.repeat(3_200_000)
    const messages = times(10, () => user({ type: 'text', text }, image(png(5, 5))))
    const failure = (() => {
      try {
        return toAnthropicRequest({ messages, tools: [] }, defaults)
      } catch (error) {
        return error
      }
    })()
    expect(isOrraError(failure, 'provider.context-too-long')).toBe(true)
  })
})
