import type { ConversationLine } from './conversation-lines.ts'
import { conversationLines, withoutIds } from './conversation-lines.ts'
import type { CrashProblem } from './crash-problem.ts'
import type { SessionSnapshot, Snapshot } from './snapshot.ts'
import { byPlainName } from './sub-agents.ts'

/** How what a crash left differs from what is there without one. */
export function differences(
  left: Snapshot,
  uncrashed: Snapshot,
  repeatable: readonly string[],
): readonly CrashProblem[] {
  const found = byPlainName(left.sessions)
  const expected = byPlainName(uncrashed.sessions)
  const namespaces = new Set([...found.keys(), ...expected.keys()])
  return [...namespaces].flatMap((namespace) => {
    const mine = found.get(namespace)
    const other = expected.get(namespace)
    if (!mine) return [{ kind: 'lost', problem: `the session ${namespace} is not there` }] as const
    if (!other) return [{ kind: 'different', problem: `there is a session ${namespace}` }] as const
    return [...inputDifferences(mine, other), ...lineDifferences(mine, other, repeatable)]
  })
}

function inputDifferences(mine: SessionSnapshot, other: SessionSnapshot): readonly CrashProblem[] {
  const { namespace } = mine.head
  const keys = inputsOf(mine)
  const expected = inputsOf(other)
  const lost = expected.filter((key) => !keys.includes(key))
  const more = keys.filter((key) => !expected.includes(key))
  return [
    ...lost.map((key) => ({ kind: 'lost', problem: `${namespace}: the input "${key}" is not there` }) as const),
    ...more.map(
      (key) =>
        ({
          kind: 'doubled',
          problem: `${namespace}: "${key}" was accepted too; was it sent with no key, or another one?`,
        }) as const,
    ),
  ]
}

function inputsOf({ entries }: SessionSnapshot): readonly string[] {
  const plain = withoutIds(entries.map(({ entry }) => entry))
  return entries.flatMap(({ entry }) => (entry.type === 'input' ? [plain(entry.key)] : []))
}

/** The first difference, unless it is that a call's outcome is honestly said to be unknown: after that, all may be otherwise. */
function lineDifferences(
  mine: SessionSnapshot,
  other: SessionSnapshot,
  repeatable: readonly string[],
): readonly CrashProblem[] {
  const { namespace } = mine.head
  const lines = conversationLines(mine)
  const expected = conversationLines(other)
  const at = Array.from({ length: Math.max(lines.length, expected.length) }, (_, index) => index).find(
    (index) => lines[index]?.text !== expected[index]?.text,
  )
  if (at === undefined) return []
  const unknown = lines[at]?.unknown
  if (unknown !== undefined && !repeatable.includes(unknown)) return []
  return [
    {
      kind: 'different',
      problem: `${namespace}: ${quoted(lines[at])} stands where it should be ${quoted(expected[at])}`,
    },
  ]
}

function quoted(line: ConversationLine | undefined): string {
  if (!line) return 'nothing'
  return line.text.length > 300 ? `${line.text.slice(0, 300)}…` : line.text
}
