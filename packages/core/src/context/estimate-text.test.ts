import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateTextTokens } from './estimate-text.ts'

/** Any code units at all, lone halves among them, and the characters whose order matters. */
const anything = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
  fc.string({ unit: fc.constantFrom(...'aeZk7  \0\t\n\r.,"_{}=é’漢か한я😀\u0301\u200d\ufe0f'), maxLength: 60 }),
)
const line = anything.map((text) => text.replace(/[\r\n]/g, ''))

describe('the estimate of a text', () => {
  it('is a whole number, the same every time, and 0 for the empty text only', () => {
    expect(estimateTextTokens('')).toBe(0)
    fc.assert(
      fc.property(anything, (text) => {
        const tokens = estimateTextTokens(text)
        expect(Number.isSafeInteger(tokens)).toBe(true)
        expect(tokens).toBe(estimateTextTokens(text))
        if (text !== '') expect(tokens).toBeGreaterThan(0)
      }),
      { numRuns: 2000 },
    )
  })

  it('never falls when text is appended', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const starts = Array.from({ length: text.length + 1 }, (_, end) => estimateTextTokens(text.slice(0, end)))
        expect(starts).toEqual(starts.toSorted((a, b) => a - b))
      }),
      { numRuns: 2000 },
    )
  })

  it('of two texts that meet at the end of a line is that of both, give or take one', () => {
    fc.assert(
      fc.property(anything, line, (before, after) => {
        const apart = estimateTextTokens(`${before}\n`) + estimateTextTokens(after)
        expect(Math.abs(apart - estimateTextTokens(`${before}\n${after}`))).toBeLessThanOrEqual(1)
      }),
      { numRuns: 2000 },
    )
  })

  it('is never more than three tokens and a bit for each code unit', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(estimateTextTokens(text)).toBeLessThanOrEqual(text.length * 3 + 1)
      }),
    )
  })

  it('looks at each code unit once', () => {
    fc.assert(
      fc.property(anything, (text) => {
        let looks = 0
        const watched = {
          length: text.length,
          charCodeAt(index: number): number {
            looks += 1
            return text.charCodeAt(index)
          },
        }
        estimateTextTokens(watched as unknown as string)
        expect(looks).toBe(text.length)
      }),
    )
  })
})

/** What o200k_base makes of each. */
const KNOWN: readonly (readonly [kind: string, real: number, text: string])[] = [
  [
    'English',
    28,
    'The ferry leaves at noon, so pack the blue bag tonight and leave the heavy coat behind; we will not need it on the island.',
  ],
  [
    'German',
    28,
    'Wer morgens durch den Nebel zum Bahnhof läuft, hört die Züge lange, bevor die Lichter über dem Gleis zu sehen sind.',
  ],
  ['Russian', 33, 'Вечером мы сидели на веранде, пили чай с малиной и слушали, как за рекой поют незнакомые птицы.'],
  ['Greek', 40, 'Το βράδυ καθίσαμε στην αυλή και ακούγαμε τη θάλασσα, ενώ η γιαγιά έλεγε παλιές ιστορίες για το νησί.'],
  ['Arabic', 26, 'في المساء جلسنا قرب النافذة نشرب الشاي ونستمع إلى المطر وهو يسقط على سطح البيت القديم.'],
  ['Hebrew', 29, 'בערב ישבנו ליד החלון, שתינו תה והקשבנו לגשם שירד על הגג של הבית הישן.'],
  ['Hindi', 32, 'शाम को हम खिड़की के पास बैठकर चाय पी रहे थे और पुराने घर की छत पर बारिश की आवाज़ सुन रहे थे।'],
  ['Thai', 32, 'ตอนเย็นเรานั่งดื่มชาอยู่ข้างหน้าต่าง ฟังเสียงฝนตกบนหลังคาบ้านเก่าของคุณยาย'],
  ['Chinese', 33, '傍晚我们坐在窗边喝茶，听雨点落在老房子的屋顶上，谁也不想先开口说话。'],
  ['Japanese', 35, '夕方、窓のそばでお茶を飲みながら、古い家の屋根に落ちる雨の音を聞いていた。'],
  ['Korean', 32, '저녁에 우리는 창가에 앉아 차를 마시며 오래된 집 지붕 위로 떨어지는 빗소리를 들었다.'],
  ['a chat', 24, 'we made it 🎉🎉 see you at eight 🍕 bring your umbrella ☔ and the dog 🐕'],
  [
    'TypeScript',
    42,
    "export function firstOf<T>(items: readonly T[]): T {\n  const [first] = items\n  if (first === undefined) throw new RangeError('There is none.')\n  return first\n}\n",
  ],
  [
    'Python',
    33,
    'def mean(values: list[float]) -> float:\n    if not values:\n        raise ValueError("no values")\n    return sum(values) / len(values)\n',
  ],
  [
    'JSON',
    50,
    '{"id":"ord_20417","items":[{"sku":"A-19","quantity":2,"unitPrice":14.95}],"paid":true,"createdAt":"2025-03-02T09:41:00Z"}',
  ],
  ['digits', 22, '3141592653589793238462643383279502884197169399375105820974944592'],
  ['hex', 43, '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
  [
    'base64',
    69,
    'TB8UJGruxiRld7nf42YIEP8S4iIEzEiBEFMsYWTcnGRni38F3bGhhyMw5xaYBS8V3C61FbBxJ3TZLOj6nu8Ice1mgSnDdtF1rBdE9Qw',
  ],
  ['random letters', 37, 'qzjxkvbwpmfhgtdlrncsqkzvxjwpbfmghtdrlcnskqzvjxwbpfhmgdtlrnsc'],
]

const HOSTILE: typeof KNOWN = [
  ['private use', 290, String.fromCharCode(...Array.from({ length: 100 }, (_, index) => 0xe000 + index * 7))],
  [
    'accents piled up',
    137,
    Array.from('Zalgo comes', (letter, place) => {
      const accents = Array.from({ length: 6 }, (_, index) => 0x300 + ((place * 7 + index * 5) % 0x70))
      return letter + String.fromCharCode(...accents)
    }).join(''),
  ],
  [
    'letters of mathematics',
    105,
    String.fromCodePoint(...Array.from({ length: 40 }, (_, index) => 0x1d400 + index * 5)),
  ],
  ['one long word', 60, 'pneumonoultramicroscopicsilicovolcanoconiosis'.repeat(4)],
  ['half of an emoji', 3, '\ud83d and text'],
  ['tabs', 4, `${'\t'.repeat(40)}x`],
]

describe('the estimate beside the truth', () => {
  it.each(KNOWN)('is within a fifth: %s', (_, real, text) => {
    expect(Math.abs(estimateTextTokens(text) / real - 1)).toBeLessThan(0.2)
  })

  it.each(HOSTILE)('is within a factor of two: %s', (_, real, text) => {
    expect(estimateTextTokens(text)).toBeGreaterThanOrEqual(real / 2)
    expect(estimateTextTokens(text)).toBeLessThanOrEqual(real * 2)
  })
})
