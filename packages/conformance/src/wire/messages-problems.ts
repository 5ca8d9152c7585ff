import { type Fields, isFilled, isObject, listOf } from './wire-parts.ts'

const NAME = /^[a-zA-Z0-9_-]{1,64}$/
const ID = /^[a-zA-Z0-9_-]+$/

/** What the Messages API would refuse in a body, in words. */
export function messagesProblems(body: unknown): readonly string[] {
  if (!isObject(body)) return ['body: is no object']
  const messages = listOf(body['messages'])
  const tools = listOf(body['tools'])
  return [
    ...(JSON.stringify(body).isWellFormed() && !holdsHalf(body) ? [] : ['body: holds half a character']),
    ...(isFilled(body['model']) ? [] : ['model: is missing']),
    ...(Number.isInteger(body['max_tokens']) ? [] : ['max_tokens: is missing']),
    ...(messages.length > 0 ? [] : ['messages: there is none']),
    ...tools.flatMap(toolProblems),
    ...messages.flatMap((message, index) => messageProblems(message, messages[index - 1], `messages.${index}`)),
    ...(messages.at(-1)?.['role'] === 'assistant' ? ['messages: end with the assistant'] : []),
    ...callProblems(messages, tools.length > 0),
  ]
}

/** JSON.stringify writes halves of a surrogate pair as escapes. */
function holdsHalf(body: unknown): boolean {
  return /(?<!\\)(?:\\\\)*\\ud[89a-f]/i.test(JSON.stringify(body))
}

function toolProblems({ name, input_schema: schema }: Fields): readonly string[] {
  return [
    ...(typeof name === 'string' && NAME.test(name) ? [] : ['tools: a name is not allowed']),
    ...(isObject(schema) && schema['type'] === 'object' ? [] : ['tools: a schema is of no object']),
  ]
}

function messageProblems(message: Fields, before: Fields | undefined, where: string): readonly string[] {
  const { role } = message
  const blocks = blocksOf(message)
  return [
    ...(role === 'user' || role === 'assistant' ? [] : [`${where}: has an unknown role`]),
    ...(role === (before?.['role'] ?? 'assistant') ? [`${where}: is out of turn`] : []),
    ...(blocks.length === 0 ? [`${where}: is empty`] : []),
    ...(role === 'assistant' && isThinking(blocks.at(-1)) ? [`${where}: ends in thinking`] : []),
    ...blocks.flatMap((block) => blockProblems(block, role).map((problem) => `${where}: ${problem}`)),
  ]
}

function blockProblems(block: Fields, role: unknown): readonly string[] {
  const { type, text, name, id, input, signature, content } = block
  if (type === 'text') return isFilled(text) ? [] : ['holds blank text']
  if (type === 'thinking') return isFilled(signature) ? [] : ['holds thinking without signature']
  if (type === 'redacted_thinking') return []
  if (type === 'tool_use' && role === 'assistant') {
    return [
      ...(typeof id === 'string' && ID.test(id) ? [] : ['holds an id that is not allowed']),
      ...(typeof name === 'string' && NAME.test(name) ? [] : ['holds a name that is not allowed']),
      ...(isObject(input) ? [] : ['holds an input that is no object']),
    ]
  }
  if (role !== 'user') return [`holds ${String(type)}, which is not the assistant’s`]
  if (type === 'image' || type === 'document') return isObject(block['source']) ? [] : [`holds ${type} without source`]
  if (type !== 'tool_result') return [`holds ${String(type)}`]
  const failed = block['is_error'] === true
  const inner = blocksOf({ content })
  return [
    ...(failed && inner.length === 0 ? ['holds an error without words'] : []),
    ...(failed && inner.some((one) => one['type'] !== 'text') ? ['holds an error with more than text'] : []),
    ...inner.flatMap((one) => blockProblems(one, role)),
  ]
}

function callProblems(messages: readonly Fields[], hasTools: boolean): readonly string[] {
  const problems: string[] = []
  const known = new Set<unknown>()
  let asked: readonly unknown[] = []
  for (const [index, message] of messages.entries()) {
    const blocks = blocksOf(message)
    const results = blocks.flatMap(({ type, tool_use_id: id }) => (type === 'tool_result' ? [id] : []))
    if (asked.some((id) => !results.includes(id))) problems.push(`messages.${index}: lacks a result`)
    if (results.some((id) => !asked.includes(id))) problems.push(`messages.${index}: has a result without a call`)
    if (new Set(results).size < results.length) problems.push(`messages.${index}: has two results of one call`)
    if (blocks.slice(0, results.length).some(({ type }) => type !== 'tool_result' && results.length > 0))
      problems.push(`messages.${index}: has something before its results`)
    asked = blocks.flatMap(({ type, id }) => (type === 'tool_use' ? [id] : []))
    if (asked.length > 0 && !hasTools) problems.push(`messages.${index}: has calls, and the request no tools`)
    for (const id of asked) {
      if (known.has(id)) problems.push(`messages.${index}: uses an id again`)
      known.add(id)
    }
  }
  return problems
}

function blocksOf({ content }: Fields): readonly Fields[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return listOf(content)
}

function isThinking(block: Fields | undefined): boolean {
  return block?.['type'] === 'thinking' || block?.['type'] === 'redacted_thinking'
}
