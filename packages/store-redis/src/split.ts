/** In two, at the first separator. */
export function split(text: string, separator: string): readonly [string, string] {
  const end = text.indexOf(separator)
  return [text.slice(0, end), text.slice(end + 1)]
}
