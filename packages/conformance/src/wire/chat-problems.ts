import { type Fields, isFilled, isJsonObject, isObject, listOf } from './wire-parts.ts'

const NAME = /^[a-zA-Z0-9_-]{1,64}$/
const CALL_ID = /^.{1,40}$/s
const ROLES = ['system', 'developer', 'user', 'assistant', 'tool']

/** What Chat Completions would refuse in a body, in words: OpenAI's, and the stricter of those that speak it. */
export function chatProblems(body: unknown): readonly string[] {
  if (!isObject(body)) return ['body: is no object']
  const { tools, tool_choice: choice } = body
  const messages = listOf(body['messages'])
  return [
    ...(isFilled(body['model']) ? [] : ['model: is missing']),
    ...(messages.length > 0 ? [] : ['messages: there is none']),
    ...(tools !== undefined && listOf(tools).length === 0 ? ['tools: are an empty list'] : []),
    ...(choice !== undefined && tools === undefined ? ['tool_choice: there are no tools'] : []),
    ...listOf(tools).flatMap(toolProblems),
    ...messages.flatMap((message, index) => messageProblems(message).map((problem) => `messages.${index}: ${problem}`)),
    ...callProblems(messages),
  ]
}

function toolProblems({ type, function: made }: Fields): readonly string[] {
  if (type !== 'function' || !isObject(made)) return ['tools: one is no function']
  const { name, parameters } = made
  return [
    ...(typeof name === 'string' && NAME.test(name) ? [] : ['tools: a name is not allowed']),
    ...(isObject(parameters) && parameters['type'] === 'object' ? [] : ['tools: a schema is of no object']),
  ]
}

function messageProblems(message: Fields): readonly string[] {
  const { role, content, tool_calls: calls, tool_call_id: callId } = message
  if (!ROLES.includes(String(role))) return ['has an unknown role']
  const media = role === 'user' ? ['image_url', 'file', 'input_audio'] : []
  const problems = contentProblems(content, ['text', ...media])
  if (role === 'tool') return [...(isCallId(callId) ? [] : ['has an id that is not allowed']), ...problems]
  if (role !== 'assistant') return [...(isFilledContent(content) ? [] : ['is empty']), ...problems]
  return [
    ...(isFilledContent(content) || listOf(calls).length > 0 ? [] : ['is empty']),
    ...(calls !== undefined && listOf(calls).length === 0 ? ['has an empty list of calls'] : []),
    ...(content === null ? [] : problems),
    ...listOf(calls).flatMap(toolCallProblems),
  ]
}

function contentProblems(content: unknown, allowed: readonly string[]): readonly string[] {
  if (content === undefined || typeof content === 'string') return []
  if (!Array.isArray(content)) return ['has content that is neither text nor a list']
  return listOf(content).flatMap(({ type, text }) => {
    if (!allowed.includes(String(type))) return [`holds ${String(type)}, which it cannot`]
    return type === 'text' && !isFilled(text) ? ['holds blank text'] : []
  })
}

function isFilledContent(content: unknown): boolean {
  return typeof content === 'string' ? isFilled(content) : listOf(content).length > 0
}

function toolCallProblems({ id, type, function: called }: Fields): readonly string[] {
  if (type !== 'function' || !isObject(called)) return ['has a call of no function']
  const { name, arguments: input } = called
  return [
    ...(isCallId(id) ? [] : ['has an id that is not allowed']),
    ...(typeof name === 'string' && NAME.test(name) ? [] : ['has a name that is not allowed']),
    ...(isJsonObject(input) ? [] : ['has arguments that are no JSON of an object']),
  ]
}

function isCallId(id: unknown): boolean {
  return typeof id === 'string' && CALL_ID.test(id)
}

function callProblems(messages: readonly Fields[]): readonly string[] {
  const problems: string[] = []
  const known = new Set<unknown>()
  let open = new Set<unknown>()
  for (const [index, { role, tool_calls: calls, tool_call_id: callId }] of messages.entries()) {
    if (role === 'tool') {
      if (!open.delete(callId)) problems.push(`messages.${index}: answers no call of the message before`)
      continue
    }
    if (open.size > 0) problems.push(`messages.${index}: comes before all results are there`)
    const ids = listOf(calls).map(({ id }) => id)
    if (new Set(ids).size < ids.length || ids.some((id) => known.has(id)))
      problems.push(`messages.${index}: uses an id again`)
    for (const id of ids) known.add(id)
    open = new Set(ids)
  }
  return open.size > 0 ? [...problems, 'messages: end with calls'] : problems
}
