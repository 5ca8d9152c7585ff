/** What comes next, by rule: what was begun before what was not, and the older before the newer. Takes tasks as lines. */
export function adviceFrom(lines: string): string {
  const tasks = lines.split('\n')
  const [first, second] = [...inColumn(tasks, 'doing'), ...inColumn(tasks, 'todo')]
  if (first === undefined) return 'Nothing is left to be done.'
  return second === undefined ? `Next is ${first}.` : `Next is ${first}. After it comes ${second}.`
}

function inColumn(tasks: readonly string[], column: string): readonly string[] {
  return tasks.filter((task) => task.includes(`[${column}]`))
}
