import type { ToolSpec } from '@orra/core'
import type OpenAI from 'openai'
import { toInputSchema } from '../input-schema.ts'
import { isBlank } from '../legal-text.ts'
import { toToolName } from '../tool-name.ts'

const converted = new WeakMap<ToolSpec, OpenAI.ChatCompletionFunctionTool>()

/** The tools of a request, each name once; `undefined` for none, which the API takes by no list only. */
export function toChatTools(specs: readonly ToolSpec[]): OpenAI.ChatCompletionFunctionTool[] | undefined {
  const tools = new Map<string, OpenAI.ChatCompletionFunctionTool>()
  for (const spec of specs) {
    const tool = toChatTool(spec)
    if (!tools.has(tool.function.name)) tools.set(tool.function.name, tool)
  }
  return tools.size > 0 ? [...tools.values()] : undefined
}

function toChatTool(spec: ToolSpec): OpenAI.ChatCompletionFunctionTool {
  const known = converted.get(spec)
  if (known) return known
  const { name, description, inputSchema } = spec
  const said = isBlank(description) ? {} : { description: description.toWellFormed() }
  const tool = {
    type: 'function',
    function: { name: toToolName(name), ...said, parameters: toInputSchema(inputSchema) },
  } as const
  converted.set(spec, tool)
  return tool
}
