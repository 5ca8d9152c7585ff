import { deflateSync } from 'node:zlib'

/** The beginning of a PNG of this size, in base64, followed by as many zeros as asked for. */
export function png(width: number, height: number, moreBytes = 0): string {
  const header = Buffer.alloc(33 + moreBytes)
  header.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')
  header.writeUInt32BE(width, 16)
  header.writeUInt32BE(height, 20)
  header[24] = 8
  return header.toString('base64')
}

export function gif(width: number, height: number): string {
  const header = Buffer.alloc(13)
  header.write('GIF89a', 'latin1')
  header.writeUInt16LE(width, 6)
  header.writeUInt16LE(height, 8)
  return header.toString('base64')
}

/** A JPEG whose size stands behind so many bytes of other segments. */
export function jpeg(width: number, height: number, before = 16): string {
  const segments: Buffer[] = [Buffer.from('ffd8', 'hex')]
  for (let left = before; left > 0; left -= 65_000) {
    const length = Math.min(left, 65_000) + 2
    segments.push(Buffer.from([0xff, 0xe2, length >> 8, length & 255]), Buffer.alloc(length - 2, 1))
  }
  const frame = Buffer.from('ffc0000b080000000001011100', 'hex')
  frame.writeUInt16BE(height, 5)
  frame.writeUInt16BE(width, 7)
  return Buffer.concat([...segments, frame, Buffer.from('ffd9', 'hex')]).toString('base64')
}

export function webp(width: number, height: number): string {
  const bytes = Buffer.alloc(30)
  bytes.write('RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0', 'latin1')
  bytes.writeUIntLE(width - 1, 24, 3)
  bytes.writeUIntLE(height - 1, 27, 3)
  return bytes.toString('base64')
}

export interface PdfShape {
  /** Packs the page objects into a compressed stream, as most programs do. */
  readonly packed?: boolean
  readonly encrypted?: boolean
  /** So many of the pages are there again, in a newer version. */
  readonly changed?: number
  readonly moreBytes?: number
}

export function pdf(pages: number, { packed, encrypted, changed = 0, moreBytes = 0 }: PdfShape = {}): string {
  const page = '<< /Type /Page /Parent 2 0 R >>'
  const kids = Array.from({ length: pages }, (_, index) => `${index + 3} 0 R`).join(' ')
  const parts = [
    '%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n',
    `2 0 obj\n<< /Type /Pages /Kids [${kids}] /Count ${pages} >>\nendobj\n`,
    packed ? packedPages(pages, page) : plainPages(pages, page),
    plainPages(changed, page),
    `trailer\n<< /Root 1 0 R ${encrypted ? '/Encrypt 9 0 R ' : ''}>>\n%%EOF\n`,
    ' '.repeat(moreBytes),
  ]
  return Buffer.from(parts.join(''), 'latin1').toString('base64')
}

function plainPages(count: number, page: string): string {
  return Array.from({ length: count }, (_, index) => `${index + 3} 0 obj\n${page}\nendobj\n`).join('')
}

function packedPages(count: number, page: string): string {
  const pairs = Array.from({ length: count }, (_, index) => `${index + 3} ${index * (page.length + 1)}`).join(' ')
  const stream = deflateSync(`${pairs} ${Array(count).fill(page).join(' ')}`).toString('latin1')
  const dictionary = `<< /Type /ObjStm /N ${count} /First ${pairs.length + 1} /Filter /FlateDecode >>`
  return `900 0 obj\n${dictionary}\nstream\n${stream}\nendstream\nendobj\n`
}
