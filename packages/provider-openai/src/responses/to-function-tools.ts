import type { ToolSpec } from '@orra/core'
import type { FunctionTool } from 'openai/resources/responses/responses'
import { toInputSchema } from '../input-schema.ts'
import { isBlank, wellFormed } from '../legal-text.ts'
import { isStrictSchema } from '../strict-schema.ts'
import { toToolName } from '../tool-name.ts'

const converted = new WeakMap<ToolSpec, FunctionTool>()

/** The tools of a request, in their order; of two that come to one name the first. */
export function toFunctionTools(specs: readonly ToolSpec[]): FunctionTool[] {
  const tools = new Map<string, FunctionTool>()
  for (const spec of specs) {
    const tool = toFunctionTool(spec)
    if (!tools.has(tool.name)) tools.set(tool.name, tool)
  }
  return [...tools.values()]
}

function toFunctionTool(spec: ToolSpec): FunctionTool {
  const known = converted.get(spec)
  if (known) return known
  const { name, description, inputSchema } = spec
  const tool: FunctionTool = {
    type: 'function',
    name: toToolName(name),
    ...(isBlank(description) ? {} : { description: description.toWellFormed() }),
    ...toStrictness(inputSchema),
  }
  converted.set(spec, tool)
  return tool
}

function toStrictness(schema: ToolSpec['inputSchema']): Pick<FunctionTool, 'parameters' | 'strict'> {
  // A schema that is left to the API's default would be made strict by it.
  return isStrictSchema(schema)
    ? { parameters: wellFormed(schema), strict: true }
    : { parameters: toInputSchema(schema), strict: false }
}
