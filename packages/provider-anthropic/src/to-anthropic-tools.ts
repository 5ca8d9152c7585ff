import type Anthropic from '@anthropic-ai/sdk'
import type { JsonObject, JsonValue, ToolSpec } from '@orra/core'
import { isBlank, wellFormed } from './legal-text.ts'
import { type AnthropicMessage, toToolName } from './to-message-blocks.ts'

const converted = new WeakMap<ToolSpec, Anthropic.Tool>()

/**
 * The tools of a request. When it has none any more but the conversation holds calls, the API wants the tools of those
 * calls defined all the same: they are, by name alone, and the model is told to call none.
 */
export function toAnthropicTools(
  specs: readonly ToolSpec[],
  messages: readonly AnthropicMessage[],
): Pick<Anthropic.MessageCreateParamsNonStreaming, 'tool_choice'> & { readonly tools?: Anthropic.Tool[] } {
  const tools = new Map<string, Anthropic.Tool>()
  for (const spec of specs) {
    const tool = toAnthropicTool(spec)
    if (!tools.has(tool.name)) tools.set(tool.name, tool)
  }
  if (tools.size > 0) return { tools: [...tools.values()] }
  for (const block of messages.flatMap(({ content }) => content)) {
    if (block.type === 'tool_use' && !tools.has(block.name)) tools.set(block.name, goneTool(block.name))
  }
  return tools.size > 0 ? { tools: [...tools.values()], tool_choice: { type: 'none' } } : {}
}

function goneTool(name: string): Anthropic.Tool {
  return { name, description: 'Can no longer be called.', input_schema: { type: 'object' } }
}

function toAnthropicTool(spec: ToolSpec): Anthropic.Tool {
  const known = converted.get(spec)
  if (known) return known
  const { name, description, inputSchema } = wellFormed(spec)
  const said = isBlank(description) ? {} : { description }
  const tool = { name: toToolName(name), ...said, input_schema: toInputSchema(inputSchema) }
  converted.set(spec, tool)
  return tool
}

/**
 * The API takes no union at the top of a schema. What its branches have is put into one object, looser than they were;
 * what the model then calls the tool with is checked against the schema itself.
 */
function toInputSchema({ anyOf, oneOf, allOf, ...schema }: JsonObject): Anthropic.Tool.InputSchema {
  const choices = [...objectsIn(anyOf), ...objectsIn(oneOf)]
  const parts = objectsIn(allOf)
  if (choices.length + parts.length === 0) return { ...schema, type: 'object' }
  const always = [schema, ...parts].flatMap(requiredBy)
  const [first, ...others] = choices.map(requiredBy)
  const inAll = (first ?? []).filter((name) => others.every((names) => names.includes(name)))
  return {
    ...schema,
    type: 'object',
    properties: mergedProperties([schema, ...parts, ...choices]),
    required: [...new Set([...always, ...inAll])],
  }
}

function mergedProperties(schemas: readonly JsonObject[]): { readonly [name: string]: JsonValue } {
  const found = new Map<string, Map<string, JsonValue>>()
  for (const { properties } of schemas) {
    for (const [name, property] of Object.entries(isObject(properties) ? properties : {})) {
      if (property === undefined) continue
      const variants = found.get(name) ?? new Map<string, JsonValue>()
      found.set(name, variants.set(JSON.stringify(property), property))
    }
  }
  return Object.fromEntries(
    Array.from(found, ([name, variants]) => {
      const [only, ...more] = variants.values()
      return [name, more.length === 0 ? (only ?? {}) : { anyOf: [...variants.values()] }]
    }),
  )
}

function requiredBy({ required }: JsonObject): readonly string[] {
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []
}

function objectsIn(list: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
