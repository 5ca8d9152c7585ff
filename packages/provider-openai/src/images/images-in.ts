import type { ImagePart } from '@orra/core'
import { isBase64 } from '../is-base64.ts'
import { imageKind } from './image-kind.ts'

/** The images of a reply, at least one, or what is wrong with it. */
export function imagesIn(reply: unknown): readonly ImagePart[] | string {
  const { data } = (reply ?? {}) as { readonly data?: unknown }
  if (!Array.isArray(data) || data.length === 0) return 'it holds no image'
  const images: ImagePart[] = []
  for (const item of data as readonly ({ readonly b64_json?: unknown } | null)[]) {
    const base64 = item?.b64_json
    if (typeof base64 !== 'string' || !isBase64(base64)) return 'an image does not come as base64'
    // A server may make another format than the one it was asked for.
    const kind = imageKind(base64)
    if (!kind) return 'an image is of a kind that is not known'
    images.push({ type: 'image', mediaType: `image/${kind}`, data: base64 })
  }
  return images
}
