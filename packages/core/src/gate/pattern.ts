import type { Namespace } from '../namespace.ts'
import { globTest } from './glob.ts'
import { invalidPolicy } from './policy.ts'

/** What a pattern asks of one segment of a namespace. */
export type SegmentPattern =
  | { readonly literal: string }
  /** `glob` is how it is written: two of the same spelling match the same. */
  | { readonly glob: string; matches(segment: string): boolean }

/** A pattern made ready: one for each segment of the namespaces that it matches, outermost first. */
export type Pattern = readonly SegmentPattern[]

/** Throws `policy.invalid` for what can match no namespace, or is written ambiguously. */
export function compilePattern(pattern: string): Pattern {
  if (!pattern.isWellFormed() || pattern.includes('\0')) {
    throw invalidPolicy(pattern, 'the pattern holds a NUL character or half of a surrogate pair, as no namespace does')
  }
  return pattern.split(':').map((segment) => {
    if (segment === '') throw invalidPolicy(pattern, 'the pattern has an empty segment')
    if (/%(?!25|3A|2A)/.test(segment)) {
      throw invalidPolicy(pattern, 'the pattern has a "%" that is not "%25", "%3A" or "%2A"')
    }
    return segment.includes('*') ? compileGlob(segment) : { literal: unescapeText(segment) }
  })
}

/** Whether it matches the namespace or one of its ancestors. */
export function patternHolds(pattern: Pattern, { segments }: Namespace): boolean {
  if (pattern.length > segments.length) return false
  return pattern.every((segment, index) => segmentMatches(segment, segments[index] as string))
}

function segmentMatches(pattern: SegmentPattern, segment: string): boolean {
  return 'literal' in pattern ? pattern.literal === segment : pattern.matches(segment)
}

function compileGlob(segment: string): SegmentPattern {
  // No segment of a namespace holds NUL, so it can carry the literal star past the glob.
  const texts = segment.split('*').map((text) => unescapeText(text).replaceAll('*', '\0'))
  const matches = globTest(texts.join('*'))
  const hasStar = texts.some((text) => text.includes('\0'))
  return { glob: segment, matches: hasStar ? (name) => matches(name.replaceAll('*', '\0')) : matches }
}

function unescapeText(text: string): string {
  return text.replaceAll('%3A', ':').replaceAll('%2A', '*').replaceAll('%25', '%')
}
