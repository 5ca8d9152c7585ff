import type { ContentPart, FilePart, ImagePart, Message } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { mediaTokens } from '../src/media-tokens.ts'
import { toResponsesRequest } from '../src/responses/to-responses-request.ts'
import { problemsInResponses } from './legal-responses-request.ts'
import { gif, jpeg, pdf, png, webp } from './media.ts'

const image = (data: string, mediaType = 'image/png'): ImagePart => ({ type: 'image', mediaType, data })
const file = (data: string, mediaType: string, name?: string): FilePart => ({
  type: 'file',
  mediaType,
  data,
  ...(name === undefined ? {} : { name }),
})
const base64 = (text: string) => Buffer.from(text).toString('base64')
const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))

type Sent = { readonly type: string; readonly [key: string]: unknown }

/** What becomes of the parts of one message; the request is legal. */
function sent(...content: readonly ContentPart[]): readonly Sent[] {
  const messages: Message[] = [{ role: 'user', content }]
  const body = toResponsesRequest({ messages, tools: [] }, { model: 'gpt-5.2', store: false })
  expect(problemsInResponses(body)).toEqual([])
  const [first] = body.input as unknown as readonly { readonly content: readonly Sent[] }[]
  return first?.content ?? []
}

describe('images and files', () => {
  it.each([
    ['image/png', png(3, 4)],
    ['image/jpeg', jpeg(3, 4)],
    ['image/gif', gif(3, 4)],
    ['image/webp', webp(3, 4)],
  ])('of %s are sent as what their bytes are', (kind, data) => {
    expect(sent(image(data, 'image/png'))).toEqual([
      { type: 'input_image', image_url: `data:${kind};base64,${data}`, detail: 'auto' },
    ])
  })

  it('at a URL are sent as that', () => {
    const url = 'https://example.com/a'
    expect(sent({ type: 'image', mediaType: 'image/png', url })).toEqual([
      { type: 'input_image', image_url: url, detail: 'auto' },
    ])
    expect(sent({ type: 'file', mediaType: 'application/pdf', url })).toEqual([{ type: 'input_file', file_url: url }])
  })

  it('that are PDFs go with a name that tells so', () => {
    const file_data = `data:application/pdf;base64,${pdf(1)}`
    expect(sent(file(pdf(1), 'application/pdf', 'Plan'))).toEqual([
      { type: 'input_file', filename: 'Plan.pdf', file_data },
    ])
    expect(sent(file(pdf(1), 'application/pdf'))).toMatchObject([{ filename: 'document.pdf' }])
  })

  it('that are text are sent as that', () => {
    expect(sent(file(base64('a,b'), 'text/csv', 'a.csv'))).toEqual([
      { type: 'input_text', text: '[What the file a.csv says:]\na,b' },
    ])
  })

  it.each<[string, ContentPart, RegExp]>([
    ['an SVG', image(base64('<svg>'), 'image/svg+xml'), /cannot read/],
    ['an empty image', image(''), /cannot read/],
    ['a huge image', image(png(5, 5, 16_000_000)), /larger/],
    ['a file of Word', file('aGk=', 'application/msword', 'a.doc'), /file a\.doc .*cannot read/],
    ['a PDF that is none', file('aGk=', 'application/pdf'), /cannot read/],
    ['a locked PDF', file(pdf(1, { encrypted: true }), 'application/pdf'), /password/],
    ['a huge PDF', file(pdf(1, { moreBytes: 25_000_000 }), 'application/pdf'), /larger/],
    ['a file on this machine', { type: 'image', mediaType: 'image/png', url: 'file:///a' }, /cannot reach/],
  ])('that are refused are put in words: %s', (_, part, words) => {
    expect(sent(part)).toEqual([{ type: 'input_text', text: expect.stringMatching(words) }])
  })

  it('are left out in steps where there are too many', () => {
    const typesOf = (count: number) => sent(...times(count, () => image(png(5, 5)))).map(({ type }) => type)
    expect(typesOf(500).filter((type) => type === 'input_text')).toHaveLength(0)
    expect(typesOf(501).slice(0, 51)).toEqual([...Array<string>(50).fill('input_text'), 'input_image'])
    expect(typesOf(550).slice(0, 51)).toEqual([...Array<string>(50).fill('input_text'), 'input_image'])
  })

  it('are left out, the oldest first, where they are too large together', () => {
    const large = times(5, () => image(png(5, 5, 7_500_000)))
    expect(sent(...large).map(({ type }) => type)).toEqual(['input_text', ...Array<string>(4).fill('input_image')])
  })
})

describe('what an image costs', () => {
  it.each([
    ['gpt-4o', 1024, 1024, 765],
    ['gpt-4o', 2048, 4096, 1105],
    ['gpt-4o-2024-08-06', 512, 512, 255],
    ['gpt-4.1', 1024, 1024, 765],
    ['gpt-4o-mini', 512, 512, 8500],
    ['o3', 1024, 1024, 675],
    ['gpt-5', 1024, 1024, 630],
    ['gpt-5-mini', 1024, 1024, 1659],
    ['gpt-4.1-mini', 1800, 2400, 2353],
    ['gpt-4.1-nano', 1024, 1024, 2520],
    ['o4-mini', 1024, 1024, 1762],
    ['gpt-5.2', 1800, 2400, 1452],
    ['openai/gpt-4o', 1024, 1024, 765],
    ['gpt-5.4', 1024, 1024, 1024],
    ['gpt-9', 32, 32, 1],
    ['gpt-5.4', 1, 1, 1],
  ])('to %s at %i × %i is as published', (model, width, height, tokens) => {
    expect(mediaTokens(image(png(width, height)), model)).toBe(tokens)
  })

  it('is never more than a model looks at', () => {
    for (const [width, height] of [
      [9000, 9000],
      [60_000, 20],
      [20, 60_000],
      [2049, 2047],
    ] as const) {
      expect(mediaTokens(image(png(width, height)), 'gpt-5.2')).toBeLessThanOrEqual(1536)
      expect(mediaTokens(image(png(width, height)), 'gpt-5.4')).toBeLessThanOrEqual(2500)
      expect(mediaTokens(image(png(width, height)), 'gpt-4o')).toBeGreaterThan(0)
    }
  })

  it('is not known of URLs and files, and is that of its words for what is not sent', () => {
    expect(mediaTokens({ type: 'image', mediaType: 'image/png', url: 'https://a.b' }, 'gpt-5')).toBeUndefined()
    expect(mediaTokens(file(pdf(1), 'application/pdf'), 'gpt-5')).toBeUndefined()
    expect(mediaTokens(image(''), 'gpt-5')).toBeLessThan(40)
  })
})
