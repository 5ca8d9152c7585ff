import { imageSize } from 'image-size'
import { blocksOf, type Fields, isFilled, isObject, listOf, type Say } from './legal-fields.ts'

const MOST_IMAGE_CHARACTERS = 5 * 1024 * 1024

export function checkImage({ source }: Fields, where: string, say: Say) {
  if (!isObject(source)) return say(where, 'has no source')
  if (source['type'] === 'url') return checkUrl(source['url'], where, say)
  const { media_type: type, data } = source
  if (source['type'] !== 'base64' || !isBase64(data)) return say(where, 'is not in base64')
  if (data.length > MOST_IMAGE_CHARACTERS) say(where, 'is larger than 5 MB')
  const size = sizeOf(data)
  const kind = { jpg: 'image/jpeg', png: 'image/png', gif: 'image/gif', webp: 'image/webp' }[size?.type ?? '']
  if (!size || !kind) return say(where, 'is no image that can be read')
  if (kind !== type) say(where, `is ${kind}, and called ${String(type)}`)
  if (Math.max(size.width, size.height) > 8000) say(where, 'is over 8,000 pixels')
}

export function checkDocument({ source, title }: Fields, where: string, say: Say) {
  if (title !== undefined && (!isFilled(title) || title.length > 500)) say(where, 'has a title that is not allowed')
  if (!isObject(source)) return say(where, 'has no source')
  const { type, media_type: kind, data } = source
  if (type === 'url') return checkUrl(source['url'], where, say)
  if (type === 'text') {
    if (kind !== 'text/plain' || !isFilled(data)) say(where, 'is no plain text')
  } else if (type !== 'base64' || kind !== 'application/pdf' || !isBase64(data)) say(where, 'is no PDF in base64')
  else {
    const text = Buffer.from(data, 'base64').toString('latin1')
    if (!text.slice(0, 1024).includes('%PDF-')) say(where, 'is no PDF')
    if (/\/Encrypt\b/.test(text)) say(where, 'is a PDF with a password')
  }
}

/** What the API allows of all media together. */
export function checkMedia(messages: readonly unknown[], say: Say) {
  const blocks = messages.flatMap(blocksOf).flatMap((block) => [block, ...listOf(block['content'])])
  const images = blocks.filter(({ type }) => type === 'image')
  const documents = blocks.filter(({ type }) => type === 'document')
  if (images.length > 100) say('messages', 'hold more than 100 images')
  if (images.length + documents.length > 20) {
    for (const { source } of images) {
      const data = isObject(source) ? source['data'] : undefined
      const size = typeof data === 'string' ? sizeOf(data) : undefined
      if (!size || Math.max(size.width, size.height) > 2000)
        say('messages', 'hold an image over 2,000 pixels among many')
    }
  }
  if (documents.reduce((sum, block) => sum + pagesOf(block), 0) > 100) say('messages', 'hold more than 100 pages')
}

/** Of PDFs whose objects are not compressed. */
function pagesOf({ source }: Fields): number {
  const data = isObject(source) && source['media_type'] === 'application/pdf' ? source['data'] : undefined
  if (typeof data !== 'string') return 0
  const text = Buffer.from(data, 'base64').toString('latin1')
  return new Set(text.match(/\d+ 0 obj\s<< \/Type \/Page\b/g)).size
}

function sizeOf(data: string): ReturnType<typeof imageSize> | undefined {
  try {
    return imageSize(Buffer.from(data, 'base64'))
  } catch {
    return undefined
  }
}

function checkUrl(url: unknown, where: string, say: Say) {
  if (typeof url !== 'string' || !/^https:\/\/[^/]/.test(url)) say(where, 'has no https URL')
}

function isBase64(data: unknown): data is string {
  return isFilled(data) && data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data)
}
