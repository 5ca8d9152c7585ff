import type { FilePart, ImagePart } from '@orra/core'
import { anthropic } from '@orra/provider-anthropic'
import { describe, expect, it } from 'vitest'
import { gif, jpeg, type PdfShape, pdf, png, webp } from './media.ts'

const { mediaTokens = () => undefined } = anthropic({ model: 'claude-sonnet-5' })
const image = (data: string): ImagePart => ({ type: 'image', mediaType: 'image/png', data })
const file = (mediaType: string, data: string): FilePart => ({ type: 'file', mediaType, data })

describe('the tokens of an image', () => {
  // Size, tokens until Claude 4.6 and from 4.7 on: the examples of Anthropic's own documents.
  it.each([
    [200, 200, 64, 64],
    [1000, 1000, 1296, 1296],
    [1092, 1092, 1521, 1521],
    [1920, 1080, 1560, 2691],
    [2000, 1500, 1564, 3888],
    [3840, 2160, 1560, 4784],
  ])('of %i × %i pixels are about those that the API counts', (width, height, standard, high) => {
    for (const data of [png(width, height), gif(width, height), webp(width, height), jpeg(height, width, 300_000)]) {
      for (const model of ['claude-3-5-sonnet-latest', 'claude-opus-4-20250514', 'claude-haiku-4-5', 'claude-opus-4.6'])
        expectAbout(mediaTokens(image(data), model), standard)
      for (const model of ['claude-opus-4-7', 'claude-sonnet-5', 'claude-haiku-5-5', 'anthropic.claude-opus-5-v1:0'])
        expectAbout(mediaTokens(image(data), model), high)
    }
  })

  it('are at least one, however narrow it is', () => {
    expect(mediaTokens(image(png(1, 1)), 'm')).toBe(1)
    expect(mediaTokens(image(png(8000, 1)), 'm')).toBe(92)
  })

  it('are those of the words in its place when it cannot be sent', () => {
    for (const data of ['', 'aGk=', png(8001, 1), png(9, 9, 4_000_000)]) {
      expect(mediaTokens(image(data), 'm')).toBeGreaterThan(10)
      expect(mediaTokens(image(data), 'm')).toBeLessThan(30)
    }
  })

  it('are unknown when it is a URL', () => {
    expect(
      mediaTokens({ type: 'image', mediaType: 'image/png', url: 'https://example.com/a.png' }, 'm'),
    ).toBeUndefined()
  })
})

describe('the tokens of a file', () => {
  it.each<readonly [string, number, PdfShape]>([
    ['plain pages', 7, {}],
    ['pages in compressed streams', 12, { packed: true }],
    ['pages that were changed', 5, { changed: 3 }],
    ['compressed pages that were changed', 5, { packed: true, changed: 2 }],
  ])('that is a PDF of %s are counted by the page', (_, pages, shape) => {
    expect(mediaTokens(file('application/pdf', pdf(pages, shape)), 'm')).toBe(pages * 3100)
  })

  it('that is a PDF without pages that could be counted go by its size, and never over what it may have', () => {
    expect(mediaTokens(file('application/pdf', pdf(0, { moreBytes: 250_000 })), 'm')).toBe(3 * 3100)
    expect(mediaTokens(file('application/pdf', pdf(0, { moreBytes: 20_000_000 })), 'm')).toBe(100 * 3100)
  })

  it('that cannot be sent are those of the words in its place', () => {
    for (const data of [pdf(101), pdf(1, { encrypted: true }), 'aGk='])
      expect(mediaTokens(file('application/pdf', data), 'm')).toBeLessThan(40)
    expect(mediaTokens(file('application/msword', 'aGk='), 'm')).toBeLessThan(40)
  })

  it.each([
    ['digits', '1'.repeat(20_000_000)],
    ['numbers', '1 1 '.repeat(5_000_000)],
    ['streams without an end', '/Type /ObjStm stream\n'.repeat(1_000_000)],
    ['streams of nothing', '/Type /ObjStm stream\nendstream '.repeat(600_000)],
  ])('that is a PDF made of %s cost no more than a way through it', (_, bytes) => {
    const data = Buffer.from(`%PDF-1.7 ${bytes}`).toString('base64')
    expect(mediaTokens(file('application/pdf', data), 'm')).toBe(100 * 3100)
  })

  it('that is text, or a URL, are left to those who count text', () => {
    expect(mediaTokens(file('text/plain', 'aGk='), 'm')).toBeUndefined()
    const url = 'https://example.com/a.pdf'
    expect(mediaTokens({ type: 'file', mediaType: 'application/pdf', url }, 'm')).toBeUndefined()
  })
})

/** Within 2 % above, and never below. */
function expectAbout(tokens: number | undefined, real: number) {
  expect(tokens).toBeGreaterThanOrEqual(real)
  expect(tokens).toBeLessThanOrEqual(real * 1.02)
}
