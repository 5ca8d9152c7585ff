/** A test for names in which `*` stands for any run of characters. Linear in the name's length, whoever wrote the name. */
export function globTest(pattern: string): (name: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (name) => name === pattern

  return (name) => {
    const end = name.length - last.length
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false
    let from = first.length
    for (const text of rest) {
      const at = name.indexOf(text, from)
      if (at === -1 || at + text.length > end) return false
      from = at + text.length
    }
    return true
  }
}
