/** What can be asked for. */
export type ImageFormat = 'png' | 'jpeg' | 'webp'

/** Of an image, by its first bytes; `undefined` for what is none of these. */
export function imageKind(base64: string): ImageFormat | 'gif' | undefined {
  const head = Buffer.from(base64.slice(0, 16), 'base64').toString('latin1')
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'webp'
  return head.startsWith('GIF8') ? 'gif' : undefined
}
