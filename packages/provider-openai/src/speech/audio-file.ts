import { invalidOption } from '@orra/core'

/** The ending by which the API knows a kind of audio, and its media type. */
const KINDS = {
  flac: 'audio/flac',
  mp3: 'audio/mpeg',
  mp4: 'audio/mp4',
  ogg: 'audio/ogg',
  wav: 'audio/wav',
  webm: 'audio/webm',
} as const

type Kind = keyof typeof KINDS

const BY_MEDIA_TYPE: { readonly [mediaType: string]: Kind } = {
  flac: 'flac',
  'x-flac': 'flac',
  mpeg: 'mp3',
  mp3: 'mp3',
  mpga: 'mp3',
  mp4: 'mp4',
  m4a: 'mp4',
  'x-m4a': 'mp4',
  ogg: 'ogg',
  opus: 'ogg',
  wav: 'wav',
  wave: 'wav',
  'x-wav': 'wav',
  'vnd.wave': 'wav',
  webm: 'webm',
}

/** The audio as a file with an ending that says what it is: by its bytes, else as it is said to be. */
export function toAudioFile(audio: Uint8Array, mediaType?: string, name?: string): File {
  const kind = kindOf(audio) ?? BY_MEDIA_TYPE[subtypeOf(mediaType)]
  if (!kind && mediaType === undefined && !name?.includes('.')) {
    throw invalidOption('mediaType', 'the bytes do not tell what kind of audio this is; say it, such as audio/mpeg')
  }
  const file = (name ?? 'audio').toWellFormed()
  const type = kind ? KINDS[kind] : (mediaType ?? '')
  return new File([Uint8Array.from(audio)], kind && !endsIn(file, kind) ? `${file}.${kind}` : file, { type })
}

function kindOf(audio: Uint8Array): Kind | undefined {
  const head = Buffer.from(audio.buffer, audio.byteOffset, Math.min(audio.length, 12)).toString('latin1')
  if (head.startsWith('fLaC')) return 'flac'
  if (head.startsWith('OggS')) return 'ogg'
  if (head.startsWith('\x1a\x45\xdf\xa3')) return 'webm'
  if (head.startsWith('RIFF') && head.endsWith('WAVE')) return 'wav'
  if (head.startsWith('ftyp', 4)) return 'mp4'
  return head.startsWith('ID3') || isMp3Frame(head) ? 'mp3' : undefined
}

/** Eleven set bits, then the layer: III, which tells it from AAC. */
function isMp3Frame(head: string): boolean {
  return head.charCodeAt(0) === 0xff && (head.charCodeAt(1) & 0xe6) === 0xe2
}

function subtypeOf(mediaType = ''): string {
  return mediaType
    .toLowerCase()
    .replace(/^(?:audio|video)\//, '')
    .replace(/;.*/s, '')
    .trim()
}

function endsIn(name: string, kind: Kind): boolean {
  const ending = name.toLowerCase().split('.').at(-1) ?? ''
  return ending === kind || (name.includes('.') && BY_MEDIA_TYPE[ending] === kind && ending !== 'opus')
}
