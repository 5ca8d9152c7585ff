/** What is shown of a tool's input or error; the rest is in the log. */
const LONGEST_DETAIL = 100

/** A text in one line that is not too long for a screen. */
export function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > LONGEST_DETAIL ? `${line.slice(0, LONGEST_DETAIL)}…` : line
}
