import { imageSize } from 'image-size'

/** What the first bytes of an image say. */
export interface ImageHeader {
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'
  readonly width: number
  readonly height: number
}

/** How many characters are decoded in search of the size: in a JPEG, previews and colour profiles may stand before it. */
const PREFIXES = [4096, 262_144, Number.POSITIVE_INFINITY]

/** The kind and the size of an image in base64; `undefined` when it is none of those that OpenAI’s models read. */
export function readImageHeader(base64: string): ImageHeader | undefined {
  for (const length of PREFIXES) {
    const bytes = Buffer.from(base64.slice(0, length), 'base64')
    const mediaType = mediaTypeOf(bytes)
    if (!mediaType) return undefined
    const size = sizeOf(bytes)
    if (size) return { mediaType, ...size }
    if (base64.length <= length) return undefined
  }
  return undefined
}

function mediaTypeOf(bytes: Buffer): ImageHeader['mediaType'] | undefined {
  const start = bytes.toString('latin1', 0, 12)
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(start)) return 'image/gif'
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'image/webp'
  return undefined
}

function sizeOf(bytes: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  try {
    const { width, height } = imageSize(bytes)
    return width > 0 && height > 0 ? { width, height } : undefined
  } catch {
    // A header that is cut off or damaged.
    return undefined
  }
}
