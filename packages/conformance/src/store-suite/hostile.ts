import { Namespace } from '@orra/core'

// Names and texts on which a store that builds paths, patterns, queries or keys of them would stumble.

/** All different, though a file system, a collation or an unescaped separator may think otherwise. */
export const hostileNames = [
  '../../etc/passwd',
  'a%3Ab',
  'a:b',
  'C:\\con',
  '.',
  '..',
  "'; drop table sessions; --",
  'ünï 😀',
  '%',
  '_',
  '*',
  '{a}',
  'A',
  'a',
  ' ',
  'a ',
  'a.',
  'é',
  'e\u0301',
  'İ',
  'ß',
  '\u0001\n\t',
  '__proto__',
  '\u{10ffff}\uffff',
] as const

export const hostileTexts = [...hostileNames, 'a\u0000b', '\u2028 "\\', '\\u0000', ''] as const

/** The longest key, in characters of one byte and of three. */
export const longestNamespaces = [Namespace.of('x'.repeat(1024)), Namespace.of(unlike(1024))] as const

/** `length` characters of three bytes that no compression makes short. */
export function unlike(length: number): string {
  let seed = 7
  return String.fromCharCode(
    ...Array.from({ length }, () => {
      seed = (seed * 48_271) % 2_147_483_647
      return 0x4e00 + (seed % 20_000)
    }),
  )
}

/** Keys whose borders look alike, in order. */
export const borderKeys = ['a', 'a%3Ab', 'a:b', 'a:b:c', 'a:bc', 'ab'] as const
