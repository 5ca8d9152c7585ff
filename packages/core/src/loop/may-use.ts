import type { Rules } from '../gate/rules.ts'
import type { OpenRun } from '../log/conversation.ts'
import type { Services } from './run-scope.ts'

/**
 * Why a run may not use a tool, in words for the model; `undefined` when it may. The one question that is asked when tools
 * are listed and again before each is run, however the call has come about.
 */
export function refusalOf(
  { agents }: Services,
  { settings }: Pick<OpenRun, 'settings'>,
  rules: Rules,
  tool: string,
): string | undefined {
  const { tools, agent } = settings
  // An agent that is no longer there has no tools.
  const hasIt = agent === undefined || agents.get(agent)?.allowsTool(tool) === true
  if ((tools && !tools.includes(tool)) || !hasIt) {
    return `The tool "${tool}" is not offered in this run.`
  }
  const decision = rules.decide({ type: 'tool', name: tool })
  return decision.allowed ? undefined : decision.reason
}
