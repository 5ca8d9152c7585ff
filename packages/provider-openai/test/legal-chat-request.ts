import { imageSize } from 'image-size'

/**
 * What a server of the Chat Completions API would refuse in a request's body, in words; nothing when it would take it. Written
 * from the documents of the API and of servers that speak it, so that it knows nothing of how requests are made here.
 */
export function chatProblemsIn(body: unknown): readonly string[] {
  const problems: string[] = []
  const say: Say = (where, what) => void problems.push(`${where}: ${what}`)
  if (!isObject(body)) return ['body: is no object']
  checkWhole(body, say)
  checkTools(body, say)
  const { messages } = body
  if (!Array.isArray(messages) || messages.length === 0) return [...problems, 'messages: there is none']
  checkOrder(messages, say)
  for (const [index, message] of messages.entries()) checkMessage(message, `messages.${index}`, say)
  checkPairs(messages, say)
  return problems
}

type Say = (where: string, what: string) => void
type Fields = { readonly [name: string]: unknown }

const NAME = /^[a-zA-Z0-9_-]{1,64}$/
/** What Mistral takes, and every other server too. */
const ID = /^[a-zA-Z0-9]{9}$/
const UNIONS = ['anyOf', 'oneOf', 'allOf', 'enum', 'not']
const KNOWN = [
  ...['model', 'messages', 'tools', 'tool_choice', 'max_tokens', 'max_completion_tokens', 'temperature'],
  ...['reasoning_effort', 'response_format', 'stream', 'stream_options'],
]

function checkWhole(body: Fields, say: Say) {
  // JSON.stringify writes halves of a surrogate pair as escapes, whole pairs as they are.
  if (/(?<!\\)(?:\\\\)*\\ud[89a-f]/i.test(JSON.stringify(body))) say('body', 'holds half a character')
  for (const name of Object.keys(body)) if (!KNOWN.includes(name)) say('body', `has the unknown field ${name}`)
  const { model, max_tokens: most, max_completion_tokens: mostNew, temperature, stream, stream_options } = body
  if (!isFilled(model)) say('model', 'is missing')
  if (most !== undefined && mostNew !== undefined) say('max_tokens', 'is there twice')
  const length = most ?? mostNew
  if (length !== undefined && !(Number.isInteger(length) && Number(length) > 0))
    say('max_tokens', 'is no count above 0')
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 2))
    say('temperature', 'is not from 0 to 2')
  if (stream_options !== undefined && stream !== true) say('stream_options', 'are there without a stream')
  if (body['response_format'] !== undefined) checkFormat(body['response_format'], say)
}

function checkFormat(format: unknown, say: Say) {
  const { type, json_schema: wanted } = isObject(format) ? format : {}
  if (type !== 'json_schema' || !isObject(wanted)) return say('response_format', 'is of an unknown type')
  if (!NAME.test(String(wanted['name'] ?? ''))) say('response_format', 'has a name that is not allowed')
  if (!isObject(wanted['schema'])) return say('response_format', 'has no schema')
  if (wanted['schema']['type'] !== 'object') say('response_format', 'has a schema of no object')
  if (UNIONS.some((word) => word in Object(wanted['schema']))) say('response_format', 'has a union as its schema')
  if (wanted['strict'] === true) checkStrict(wanted['schema'], 'response_format', say)
}

/** In a strict schema every object says all of what it has, and wants all of it. */
function checkStrict(schema: unknown, where: string, say: Say) {
  if (Array.isArray(schema)) for (const inner of schema) checkStrict(inner, where, say)
  if (!isObject(schema)) return
  const { properties, required, additionalProperties, type } = schema
  if (type === 'object' || isObject(properties)) {
    if (additionalProperties !== false) say(where, 'is strict and takes more properties')
    const names = Object.keys(isObject(properties) ? properties : {})
    if (names.some((name) => !Array.isArray(required) || !required.includes(name)))
      say(where, 'is strict and does not require all')
  }
  for (const inner of Object.values(isObject(properties) ? properties : {})) checkStrict(inner, where, say)
  for (const word of ['items', 'anyOf']) checkStrict(schema[word], where, say)
}

function checkTools({ tools, tool_choice: choice }: Fields, say: Say) {
  if (tools === undefined) return choice === undefined ? undefined : say('tool_choice', 'is there without tools')
  if (!Array.isArray(tools) || tools.length === 0) return say('tools', 'are an empty list')
  if (tools.length > 128) say('tools', 'are more than 128')
  const names = new Set<unknown>()
  for (const tool of tools) {
    const { type, function: made } = isObject(tool) ? tool : {}
    if (type !== 'function' || !isObject(made)) return say('tools', 'hold something else than a function')
    const { name, description, parameters } = made
    if (typeof name !== 'string' || !NAME.test(name)) say('tools', 'have a name that is not allowed')
    if (names.has(name)) say('tools', `have two named ${String(name)}`)
    names.add(name)
    if (description !== undefined && !isFilled(description)) say('tools', 'have a blank description')
    if (!isObject(parameters) || parameters['type'] !== 'object') say('tools', 'have parameters of no object')
    else {
      if (!isObject(parameters['properties'])) say('tools', 'have parameters without properties')
      if (UNIONS.some((word) => word in parameters)) say('tools', 'have a union as parameters')
    }
  }
  if (choice !== undefined && !['none', 'auto', 'required'].includes(String(choice))) say('tool_choice', 'is unknown')
}

/** What templates of chat models take: the system first, then users and the model by turns, results after their calls. */
function checkOrder(messages: readonly unknown[], say: Say) {
  const roles = messages.map((message) => (isObject(message) ? message['role'] : undefined))
  const begin = roles[0] === 'system' || roles[0] === 'developer' ? 1 : 0
  if (roles[begin] !== 'user') say(`messages.${begin}`, 'is first, and not the user’s')
  if (roles.at(-1) === 'assistant') say('messages', 'end with the model')
  for (const [index, role] of roles.entries()) {
    const where = `messages.${index}`
    if ((role === 'system' || role === 'developer') && index > 0) say(where, 'is the system’s, and not first')
    if (index === 0 || role !== roles[index - 1]) continue
    if (role === 'user' || role === 'assistant') say(where, 'is of the same role as the one before')
  }
}

function checkMessage(message: unknown, where: string, say: Say) {
  if (!isObject(message)) return say(where, 'is no object')
  const { role, content } = message
  const fields = Object.keys(message).join(' ')
  switch (role) {
    case 'system':
    case 'developer':
      if (fields !== 'role content') say(where, `has other fields: ${fields}`)
      return isFilled(content) ? undefined : say(where, 'is blank')
    case 'user':
      if (fields !== 'role content') say(where, `has other fields: ${fields}`)
      return checkUser(content, where, say)
    case 'assistant':
      if (!/^role content( tool_calls)?$/.test(fields)) say(where, `has other fields: ${fields}`)
      return checkAssistant(message, where, say)
    case 'tool':
      if (fields !== 'role tool_call_id content') say(where, `has other fields: ${fields}`)
      return isFilled(content) ? undefined : say(where, 'is blank')
    default:
      say(where, 'has an unknown role')
  }
}

function checkUser(content: unknown, where: string, say: Say) {
  if (typeof content === 'string') return isFilled(content) ? undefined : say(where, 'is blank')
  if (!Array.isArray(content) || content.length === 0) return say(where, 'is empty')
  for (const part of content) {
    const { type, text, image_url: image, file } = isObject(part) ? part : {}
    if (type === 'text') isFilled(text) || say(where, 'has blank text')
    else if (type === 'image_url') checkImage(isObject(image) ? image['url'] : undefined, where, say)
    else if (type === 'file') checkFile(isObject(file) ? file : {}, where, say)
    else say(where, 'holds a part of an unknown type')
  }
}

function checkImage(url: unknown, where: string, say: Say) {
  if (typeof url !== 'string') return say(where, 'has an image without a URL')
  if (/^https?:\/\/[^/]/.test(url)) return
  const [, type, data] = /^data:(image\/(?:png|jpeg|gif|webp));base64,(.*)$/s.exec(url) ?? []
  if (type === undefined || !isBase64(data)) return say(where, 'has an image that is not in base64')
  const kind = kindOf(data)
  if (kind === undefined) say(where, 'has an image that is none')
  else if (kind !== type) say(where, `has an image that is ${kind}, and called ${type}`)
}

function kindOf(data: string): string | undefined {
  try {
    const { type = '' } = imageSize(Buffer.from(data, 'base64'))
    return { jpg: 'image/jpeg', png: 'image/png', gif: 'image/gif', webp: 'image/webp' }[type]
  } catch {
    return undefined
  }
}

function checkFile({ filename, file_data: url }: Fields, where: string, say: Say) {
  if (!isFilled(filename)) say(where, 'has a file without a name')
  const [, data] = /^data:application\/pdf;base64,(.*)$/s.exec(String(url)) ?? []
  if (!isBase64(data)) return say(where, 'has a file that is no PDF in base64')
  if (!Buffer.from(data, 'base64').toString('latin1').slice(0, 1024).includes('%PDF-'))
    say(where, 'has a PDF that is none')
}

function checkAssistant({ content, tool_calls: calls }: Fields, where: string, say: Say) {
  if (content === null ? calls === undefined : !isFilled(content)) say(where, 'says nothing')
  if (calls === undefined) return
  if (!Array.isArray(calls) || calls.length === 0) return say(where, 'has an empty list of calls')
  for (const call of calls) {
    const { id, type, function: made } = isObject(call) ? call : {}
    if (typeof id !== 'string' || !ID.test(id)) say(where, 'has an id that is not allowed')
    if (type !== 'function' || !isObject(made)) return say(where, 'has a call that is of no function')
    if (typeof made['name'] !== 'string' || !NAME.test(made['name'])) say(where, 'has a name that is not allowed')
    if (!isObject(read(made['arguments']))) say(where, 'has arguments that are no JSON of an object')
  }
}

function checkPairs(messages: readonly unknown[], say: Say) {
  const ids = new Set<unknown>()
  let open: unknown[] = []
  for (const [index, message] of messages.entries()) {
    const where = `messages.${index}`
    const { role, tool_call_id: answered, tool_calls: calls } = isObject(message) ? message : {}
    if (role === 'tool') {
      if (!open.includes(answered)) say(where, 'is a result without a call')
      else if (open[0] !== answered) say(where, 'is not in the order of the calls')
      open = open.filter((id) => id !== answered)
      continue
    }
    if (open.length > 0) say(where, `comes before the results of ${open.join(', ')}`)
    open = (Array.isArray(calls) ? calls : []).map((call) => (isObject(call) ? call['id'] : undefined))
    for (const id of open) {
      if (ids.has(id)) say(where, `uses the id ${String(id)} again`)
      ids.add(id)
    }
  }
  if (open.length > 0) say('messages', 'end with calls')
}

function read(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

function isBase64(data: unknown): data is string {
  return isFilled(data) && data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data)
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Text that is not blank. */
function isFilled(value: unknown): value is string {
  return typeof value === 'string' && /[^\s\p{Cc}]/u.test(value)
}
