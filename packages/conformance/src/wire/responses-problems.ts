import { type Fields, isFilled, isJsonObject, isObject, listOf } from './wire-parts.ts'

const NAME = /^[a-zA-Z0-9_-]{1,64}$/
const CALL_ID = /^.{1,64}$/s
const PARTS: { readonly [role: string]: readonly unknown[] } = {
  user: ['input_text', 'input_image', 'input_file'],
  system: ['input_text'],
  developer: ['input_text'],
  assistant: ['output_text', 'refusal'],
}

/** What the Responses API would refuse in a body, in words. */
export function responsesProblems(body: unknown): readonly string[] {
  if (!isObject(body)) return ['body: is no object']
  const { input, tools, tool_choice: choice } = body
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : listOf(input)
  return [
    ...(isFilled(body['model']) ? [] : ['model: is missing']),
    ...(items.length > 0 ? [] : ['input: there is none']),
    ...(choice === undefined || choice === 'none' || listOf(tools).length > 0
      ? []
      : ['tool_choice: there are no tools']),
    ...listOf(tools).flatMap(toolProblems),
    ...items.flatMap((item, index) =>
      itemProblems(item, items[index + 1]).map((problem) => `input.${index}: ${problem}`),
    ),
    ...callProblems(items),
  ]
}

function toolProblems({ type, name, parameters, strict }: Fields): readonly string[] {
  if (type !== 'function') return []
  return [
    ...(typeof name === 'string' && NAME.test(name) ? [] : ['tools: a name is not allowed']),
    ...(isObject(parameters) && parameters['type'] === 'object' ? [] : ['tools: a schema is of no object']),
    ...(strict === true && isObject(parameters) && parameters['additionalProperties'] !== false
      ? ['tools: a strict schema is open']
      : []),
  ]
}

function itemProblems(item: Fields, next: Fields | undefined): readonly string[] {
  const { type = 'message', role, content, call_id: callId, name, arguments: input, output, id } = item
  if (type === 'message') return messageProblems(role, content)
  if (type === 'reasoning') {
    return [
      ...(typeof id === 'string' && id.startsWith('rs_') ? [] : ['is reasoning without its id']),
      ...(Array.isArray(item['summary']) ? [] : ['is reasoning without a summary']),
      ...(next && (next['role'] === 'assistant' || ['function_call', 'reasoning'].includes(String(next['type'])))
        ? []
        : ['is reasoning without what follows it']),
    ]
  }
  if (type !== 'function_call' && type !== 'function_call_output') return [`is ${String(type)}`]
  const idProblems = typeof callId === 'string' && CALL_ID.test(callId) ? [] : ['has a call_id that is not allowed']
  if (type === 'function_call') {
    return [
      ...idProblems,
      ...(typeof name === 'string' && NAME.test(name) ? [] : ['has a name that is not allowed']),
      ...(isJsonObject(input) ? [] : ['has arguments that are no JSON of an object']),
    ]
  }
  if (typeof output === 'string') return idProblems
  const parts = Array.isArray(output) ? listOf(output) : [{ type: 'nothing' }]
  return [...idProblems, ...parts.flatMap((part) => partProblems(part, 'user'))]
}

function messageProblems(role: unknown, content: unknown): readonly string[] {
  if (!(String(role) in PARTS)) return ['has an unknown role']
  if (typeof content === 'string') return isFilled(content) ? [] : ['holds blank text']
  const parts = listOf(content)
  if (parts.length === 0) return ['is empty']
  return parts.flatMap((part) => partProblems(part, String(role)))
}

function partProblems(
  { type, text, image_url: image, file_data: data, file_id: file, file_url: url }: Fields,
  role: string,
) {
  if (!PARTS[role]?.includes(type)) return [`holds ${String(type)}, which ${role} cannot`]
  if (type === 'input_text' || type === 'output_text') return isFilled(text) ? [] : ['holds blank text']
  if (type === 'input_image') return typeof image === 'string' || file ? [] : ['holds an image without its source']
  if (type === 'input_file') return data || file || url ? [] : ['holds a file without its source']
  return []
}

function callProblems(items: readonly Fields[]): readonly string[] {
  const idsOf = (wanted: string) => items.flatMap(({ type, call_id: id }) => (type === wanted ? [id] : []))
  const calls = idsOf('function_call')
  const outputs = idsOf('function_call_output')
  const early = items.findIndex(
    ({ type, call_id: id }, index) =>
      type === 'function_call_output' &&
      !items.slice(0, index).some((item) => item['type'] === 'function_call' && item['call_id'] === id),
  )
  return [
    ...(calls.every((id) => outputs.includes(id)) ? [] : ['input: a call lacks its output']),
    ...(early >= 0 ? ['input: an output has no call before it'] : []),
    ...(new Set(calls).size < calls.length ? ['input: two calls share an id'] : []),
    ...(new Set(outputs).size < outputs.length ? ['input: two outputs are of one call'] : []),
  ]
}
