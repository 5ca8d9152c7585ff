import type { Tool, ToolContext } from '@orra/core'
import type { Journal } from './journal.ts'
import type { Steps } from './steps.ts'

/** The tool, with steps before, during and after, one at everything it says of its progress, and a witness of each start. */
export function steppedTool(tool: Tool, { around, next, nameOf }: Steps, journal: Journal): Tool {
  const { name, readOnly, idempotent, reconcile } = tool
  // Nothing says that it could be done again, or found out.
  const once = !(readOnly || idempotent || reconcile !== undefined)

  const telling = (context: ToolContext): ToolContext => ({
    ...context,
    progress(message) {
      next(`progress of ${name} in ${nameOf(context.namespace)}`)('at')
      context.progress(message)
    },
  })
  const stepped: Tool = {
    ...tool,
    execute(input, context) {
      const { namespace, callId } = context
      return around(`${name} in ${nameOf(namespace)}`, () => {
        journal.write({ type: 'tool', call: `${name} ${callId} in ${namespace}`, once })
        return tool.execute(input, telling(context))
      })
    },
  }
  if (!reconcile) return stepped
  return {
    ...stepped,
    reconcile: (input, context) =>
      around(`reconcile of ${name} in ${nameOf(context.namespace)}`, () =>
        reconcile.call(tool, input, telling(context)),
      ),
  }
}
