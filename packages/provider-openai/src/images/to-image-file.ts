import { type ImagePart, invalidOption } from '@orra/core'
import { type ImageFormat, imageKind } from './image-kind.ts'

const KINDS: readonly ImageFormat[] = ['png', 'jpeg', 'webp']

/** An image as it is uploaded. Throws `options.invalid` for one that the API does not take. */
export function toImageFile(image: ImagePart, option: string, maxBytes: number, kinds = KINDS): File {
  if (typeof image?.data !== 'string') throw invalidOption(option, 'give its bytes, in base64, as "data"')
  const bytes = Buffer.from(image.data, 'base64')
  // The bytes decide, not what they are said to be.
  const found = imageKind(bytes.toString('base64', 0, 12))
  const kind = kinds.find((known) => known === found)
  if (!kind) throw invalidOption(option, `it is no ${kinds.join(', ')}`)
  if (bytes.length > maxBytes) throw invalidOption(option, `it has ${bytes.length} bytes, and ${maxBytes} may be sent`)
  return new File([bytes], `${option.replace(/\W/g, '')}.${kind}`, { type: `image/${kind}` })
}
