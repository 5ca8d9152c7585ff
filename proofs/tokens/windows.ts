import { realTokens } from './count.ts'

/** How far beyond its share a window may reach for a blank or a comma. */
const REACH = 60
const BORDER = /[\s。、，,]/

/** Cuts a text into windows of about so many tokens, at blanks and commas where they are near; all together are the text. */
export function windowsOf(text: string, tokens: number): readonly string[] {
  const share = text.length / Math.max(1, Math.round(realTokens(text) / tokens))
  const windows: string[] = []
  let from = 0
  while (from < text.length) {
    const to = text.length - from < share * 1.5 ? text.length : borderAfter(text, Math.round(from + share))
    windows.push(text.slice(from, to))
    from = to
  }
  return windows
}

/** The first end of a word at or after a place, or that place where none is near. */
function borderAfter(text: string, place: number): number {
  for (let end = place; end < Math.min(text.length, place + REACH); end += 1) {
    if (BORDER.test(text.charAt(end - 1))) return end
  }
  return place
}
