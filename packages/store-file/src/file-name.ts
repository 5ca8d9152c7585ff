import { hash } from 'node:crypto'

/** The longest name made here; file systems take 255 bytes, some encrypted ones 143. */
const LONGEST = 120
/** How much of a name that is too long stays readable. */
const READABLE = 64

const PLAIN = /^[a-z0-9_-]+$/
/** Names that Windows keeps for devices, whatever extension follows. */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/

/**
 * The file name of a text: lower-case letters, digits, `_` and `-` stand for themselves, any other character is written
 * `%xx` or `=xxxx`. No two texts share a name, not even where case, dots, spaces at the end or the composition of accents
 * make no difference. A text whose name would be too long gets the beginning of it, `~` and a hash.
 */
export function fileNameOf(text: string): string {
  const name = PLAIN.test(text) ? plainName(text) : text.replaceAll(/[^a-z0-9_-]/g, escapeUnit)
  return name.length <= LONGEST ? name : `${name.slice(0, READABLE)}~${shortHash(text)}`
}

/** The text of a file name; `undefined` where the name does not tell, and for files that are none of ours. */
export function textOfFileName(name: string): string | undefined {
  const text = name.replaceAll(/%([0-9a-f]{2})|=([0-9a-f]{4})/g, (_, short?: string, long?: string) =>
    String.fromCharCode(Number.parseInt(short ?? long ?? '', 16)),
  )
  const isText = text !== '' && text.isWellFormed() && !text.includes('\0')
  return isText && isReadableName(name) && fileNameOf(text) === name ? text : undefined
}

/** The same, where `kept` is the text as it was put into a file. A loss of power may have left anything there. */
export function textOfNameOrFile(name: string, kept: () => string | undefined): string | undefined {
  if (isReadableName(name)) return textOfFileName(name)
  const text = kept()
  return text !== undefined && fileNameOf(text) === name ? text : undefined
}

/** Whether a text is found in its file name. */
export function isReadableName(name: string): boolean {
  return !/~[0-9a-f]{32}$/.test(name)
}

/** 128 bits of a text, in hexadecimal digits. */
export function shortHash(text: string): string {
  return hash('sha256', text).slice(0, 32)
}

function plainName(text: string): string {
  return DEVICE.test(text) ? escapeUnit(text.charAt(0)) + text.slice(1) : text
}

/** One UTF-16 code unit: `%2e`, `=65e5`. */
function escapeUnit(unit: string): string {
  const code = unit.charCodeAt(0)
  return code < 0x100 ? `%${code.toString(16).padStart(2, '0')}` : `=${code.toString(16).padStart(4, '0')}`
}
