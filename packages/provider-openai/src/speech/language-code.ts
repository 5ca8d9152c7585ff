const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** Names that models use and the platform does not. */
const OTHER_NAMES = {
  bengali: 'bn',
  cantonese: 'yue',
  mandarin: 'zh',
  myanmar: 'my',
  nynorsk: 'nn',
  tagalog: 'tl',
} as const

let codes: ReadonlyMap<string, string> | undefined

/** `en` of `English`: the code of a language of which a model gives the English name; else what was given, in lower case. */
export function toLanguageCode(name: string): string {
  codes ??= new Map([...namedCodes(), ...Object.entries(OTHER_NAMES)])
  return codes.get(plain(name)) ?? plain(name)
}

function* namedCodes(): Generator<readonly [string, string]> {
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })
  for (const first of LETTERS) {
    for (const second of LETTERS) {
      const code = Intl.getCanonicalLocales(first + second)[0] ?? ''
      const name = names.of(code)
      if (name) yield [plain(name), code]
    }
  }
}

/** Without accents, as in Māori. */
function plain(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim()
}
