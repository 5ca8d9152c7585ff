import type { Screen } from './screen.ts'

/**
 * A part of a screen for what a sub-agent does: whole lines only, indented and under its name, so that nothing of it mixes
 * with what others say at the same time.
 */
export function agentScreen(screen: Screen, agent: string): Screen {
  let begun = ''

  const put = (show: (line: string) => void, text: string) => {
    for (const line of text.split('\n')) show(`  ${agent} | ${line}`)
  }
  const endLine = () => {
    if (begun !== '') put(screen.note, begun)
    begun = ''
  }
  const whole = (show: (line: string) => void) => (text: string) => {
    endLine()
    put(show, text)
  }

  return {
    write(text) {
      const all = begun + text
      const end = all.lastIndexOf('\n')
      if (end >= 0) put(screen.note, all.slice(0, end))
      begun = all.slice(end + 1)
    },
    line: (text = '') => whole(screen.note)(text),
    note: whole(screen.note),
    problem: whole(screen.problem),
    endLine,
    flushed: screen.flushed,
  }
}
