import { OrraError } from '../errors.ts'
import { invalidPlugin } from './check-plugin.ts'
import type { Plugin } from './plugin.ts'

/**
 * Those that are enabled, as given, but each after what it requires. Throws `plugin.missing` for what is required and not
 * there, and `plugin.invalid` for two of one name and for those that require each other.
 */
export function inStartOrder(given: readonly Plugin[]): readonly Plugin[] {
  const byName = new Map<string, Plugin>()
  for (const plugin of given) {
    if (byName.has(plugin.name)) throw invalidPlugin(plugin.name, 'there are two of this name; leave one of them out')
    byName.set(plugin.name, plugin)
  }
  const enabled = given.filter(isEnabled)
  for (const { name, requires = [] } of enabled) {
    for (const required of requires) checkRequired(name, required, byName.get(required))
  }

  const placed = new Set<string>()
  const ordered: Plugin[] = []
  let waiting = enabled
  while (waiting.length > 0) {
    const next = waiting.find(({ requires = [] }) => requires.every((name) => placed.has(name)))
    if (!next) throw circleAmong(waiting, placed)
    placed.add(next.name)
    ordered.push(next)
    waiting = waiting.filter((plugin) => plugin !== next)
  }
  return ordered
}

function isEnabled({ enabled = true }: Plugin): boolean {
  return enabled
}

function checkRequired(plugin: string, missing: string, found: Plugin | undefined): void {
  if (found && isEnabled(found)) return
  const message = found
    ? `The plugin "${plugin}" requires "${missing}", which is disabled; enable it, or disable "${plugin}", too.`
    : `The plugin "${plugin}" requires "${missing}", which is not there; give it to the runtime, too.`
  throw new OrraError('plugin.missing', message, { details: { plugin, missing } })
}

/** Each that waits requires another one that waits, so following that must come to one for the second time. */
function circleAmong(waiting: readonly Plugin[], placed: ReadonlySet<string>): OrraError<'plugin.invalid'> {
  const byName = new Map(waiting.map((plugin) => [plugin.name, plugin]))
  const path: string[] = []
  let at = waiting[0]
  while (at && !path.includes(at.name)) {
    path.push(at.name)
    at = byName.get(at.requires?.find((name) => !placed.has(name)) ?? '')
  }
  const first = at?.name ?? ''
  const circle = [...path.slice(path.indexOf(first)), first].join(' → ')
  return invalidPlugin(first, `it requires itself: ${circle}`)
}
