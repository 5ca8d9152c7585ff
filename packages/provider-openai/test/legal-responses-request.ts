import { imageSize } from 'image-size'
import { checkSchema, type Fields, fieldsOf, isFilled, isObject, listOf, type Say } from './legal-schema.ts'

/**
 * What the Responses API would refuse in a request's body, in words; nothing when it would take it. Written from the
 * documents of the API alone, so that it knows nothing of how requests are made here.
 */
export function problemsInResponses(body: unknown): readonly string[] {
  const problems: string[] = []
  const say: Say = (where, what) => void problems.push(`${where}: ${what}`)
  if (!isObject(body)) return ['body: is no object']
  checkWhole(body, say)
  checkTools(body['tools'], say)
  checkFormat(fieldsOf(body['text'])['format'], say)
  const { input } = body
  if (!Array.isArray(input) || input.length === 0) return [...problems, 'input: there is none']
  for (const [index, item] of input.entries()) checkItem(item, `input.${index}`, say)
  const items = input.map(fieldsOf)
  checkPairs(items, say)
  checkIds(items, say)
  checkThoughts(items, say)
  if (imagesIn(items) > 500) say('input', 'has more than 500 images')
  return problems
}

const NAME = /^[a-zA-Z0-9_-]{1,64}$/
const MOST_BYTES = 50_000_000
const KNOWN = new Set([
  ...['model', 'input', 'instructions', 'tools', 'store', 'include', 'reasoning', 'text', 'max_output_tokens'],
  ...['temperature', 'prompt_cache_key', 'stream', 'tool_choice'],
])

function checkWhole(body: Fields, say: Say) {
  const json = JSON.stringify(body)
  if (Buffer.byteLength(json) > MOST_BYTES) say('body', 'is larger than 50 MB')
  // JSON.stringify writes halves of a surrogate pair as escapes, whole pairs as they are.
  if (/(?<!\\)(?:\\\\)*\\ud[89a-f]/i.test(json)) say('body', 'holds half a character')
  for (const key of Object.keys(body)) if (!KNOWN.has(key)) say(key, 'is no parameter')
  const { model, instructions, max_output_tokens: most, store, include } = body
  if (!isFilled(model)) say('model', 'is missing')
  if (instructions !== undefined && !isFilled(instructions)) say('instructions', 'is blank')
  if (most !== undefined && !(Number.isInteger(most) && Number(most) >= 16)) say('max_output_tokens', 'is below 16')
  if (store !== undefined && typeof store !== 'boolean') say('store', 'is no boolean')
  const sealed = listOfUnknown(include).includes('reasoning.encrypted_content')
  if (sealed && /^gpt-4/.test(String(model))) say('include', 'asks for thoughts of a model that has none')
  if (body['reasoning'] !== undefined && /^gpt-4/.test(String(model))) say('reasoning', 'is not supported')
}

function listOfUnknown(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function checkTools(tools: unknown, say: Say) {
  if (tools === undefined) return
  if (listOf(tools).length === 0) say('tools', 'is an empty list')
  const names = new Set<unknown>()
  for (const { type, name, description, parameters, strict } of listOf(tools)) {
    if (type !== 'function') say('tools', `has a tool of an unknown type`)
    if (typeof name !== 'string' || !NAME.test(name)) say('tools', 'has a name that is not allowed')
    if (names.has(name)) say('tools', `has two tools named ${String(name)}`)
    names.add(name)
    if (description !== undefined && !isFilled(description)) say('tools', 'has a blank description')
    // Left out, it is taken for true.
    if (typeof strict !== 'boolean') say('tools', 'does not say whether it is strict')
    checkSchema(parameters, strict === true, 'tools', say)
  }
}

function checkFormat(format: unknown, say: Say) {
  if (format === undefined) return
  const { type, name, schema, strict } = fieldsOf(format)
  if (type !== 'json_schema') say('text.format', 'is of an unknown type')
  if (typeof name !== 'string' || !NAME.test(name)) say('text.format', 'has a name that is not allowed')
  checkSchema(schema, strict === true, 'text.format', say)
}

function checkItem(value: unknown, where: string, say: Say) {
  const item = fieldsOf(value)
  const { type, role } = item
  if (type === 'message' && role === 'user') return checkContent(item['content'], where, say)
  if (type === 'message' && role === 'assistant') return checkAnswer(item, where, say)
  if (type === 'function_call') return checkCall(item, where, say)
  if (type === 'function_call_output') return checkOutput(item, where, say)
  if (type === 'reasoning') return checkThought(item, where, say)
  say(where, `is ${String(type)} of ${String(role)}, which is unknown`)
}

function checkContent(content: unknown, where: string, say: Say) {
  const parts = listOf(content)
  if (parts.length === 0) say(where, 'is empty')
  for (const [at, part] of parts.entries()) checkPart(part, `${where}.content.${at}`, say)
}

function checkPart(part: Fields, where: string, say: Say) {
  if (part['type'] === 'input_text') return isFilled(part['text']) ? undefined : say(where, 'is blank text')
  if (part['type'] === 'input_image') return checkImage(part, where, say)
  if (part['type'] === 'input_file') return checkFile(part, where, say)
  say(where, `is ${String(part['type'])}, which cannot be said`)
}

function checkImage({ image_url: url, detail }: Fields, where: string, say: Say) {
  if (!['low', 'high', 'auto', 'original'].includes(String(detail))) say(where, 'has no detail')
  if (typeof url !== 'string') return say(where, 'has no URL')
  if (/^https?:\/\/[^/]/.test(url)) return
  const [, kind, data] = /^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/]+={0,2})$/.exec(url) ?? []
  if (data === undefined) return say(where, 'is neither at a URL nor of data that can be read')
  if (data.length > 20_000_000) say(where, 'is larger than 20 MB')
  const found = sizeOf(data)
  if (!found) return say(where, 'is no image that can be read')
  const type = { jpg: 'image/jpeg', png: 'image/png', gif: 'image/gif', webp: 'image/webp' }[found.type ?? '']
  if (type !== kind) say(where, `is ${type}, and called ${kind}`)
  if (found.width < 1 || found.height < 1) say(where, 'is of no size')
}

function sizeOf(data: string): ReturnType<typeof imageSize> | undefined {
  try {
    return imageSize(Buffer.from(data, 'base64'))
  } catch {
    return undefined
  }
}

function checkFile({ filename, file_data: data, file_url: url }: Fields, where: string, say: Say) {
  if ((data === undefined) === (url === undefined)) return say(where, 'has not one source')
  if (url !== undefined) return /^https?:\/\/[^/]/.test(String(url)) ? undefined : say(where, 'has no URL')
  if (!isFilled(filename) || !/\.pdf$/i.test(filename)) say(where, 'has no file name that tells its kind')
  const [, base64] = /^data:application\/pdf;base64,([A-Za-z0-9+/]+={0,2})$/.exec(String(data)) ?? []
  if (base64 === undefined) return say(where, 'is no PDF in base64')
  const text = Buffer.from(base64, 'base64').toString('latin1')
  if (!text.slice(0, 1024).includes('%PDF-')) say(where, 'is no PDF')
  if (/\/Encrypt\b/.test(text)) say(where, 'is a PDF with a password')
}

function checkAnswer({ id, status, content }: Fields, where: string, say: Say) {
  if (typeof content === 'string') {
    if (id !== undefined) say(where, 'has an id, but not the form of an output')
    return isFilled(content) ? undefined : say(where, 'is blank')
  }
  if (typeof id !== 'string' || status !== 'completed') say(where, 'is an output without id or status')
  const parts = listOf(content)
  if (parts.length === 0) say(where, 'is empty')
  for (const part of parts) {
    if (part['type'] !== 'output_text' || !Array.isArray(part['annotations'])) say(where, 'holds no output')
    if (!isFilled(part['text'])) say(where, 'is blank')
  }
}

function checkCall({ call_id: callId, name, arguments: given }: Fields, where: string, say: Say) {
  if (!isCallId(callId)) say(where, 'has an id that is not allowed')
  if (typeof name !== 'string' || !NAME.test(name)) say(where, 'has a name that is not allowed')
  try {
    if (!isObject(JSON.parse(String(given)))) say(where, 'has arguments that are no object')
  } catch {
    say(where, 'has arguments that are no JSON')
  }
}

function checkOutput({ call_id: callId, output }: Fields, where: string, say: Say) {
  if (!isCallId(callId)) say(where, 'has an id that is not allowed')
  if (typeof output !== 'string') return checkContent(output, where, say)
  if (!isFilled(output)) say(where, 'is blank')
}

function checkThought({ id, summary, encrypted_content: seal }: Fields, where: string, say: Say) {
  if (typeof id !== 'string' || id === '') say(where, 'is a thought without id')
  // Nothing is stored, so an id alone is of nothing.
  if (typeof seal !== 'string' || seal === '') say(where, 'is a thought without its content')
  if (!Array.isArray(summary)) say(where, 'is a thought without summary')
  for (const { type, text } of listOf(summary)) {
    if (type !== 'summary_text' || typeof text !== 'string') say(where, 'has a summary of something else than text')
  }
}

function isCallId(id: unknown): boolean {
  return typeof id === 'string' && /^[a-zA-Z0-9_-]{1,64}$/.test(id)
}

/** Before the user speaks or a new reply begins, every call has its one output. */
function checkPairs(items: readonly Fields[], say: Say) {
  const ids = new Set<unknown>()
  const open = new Set<unknown>()
  let answering = false
  for (const [index, item] of items.entries()) {
    const where = `input.${index}`
    const { type, call_id: id } = item
    if (type === 'function_call_output') {
      answering = true
      if (!open.delete(id)) say(where, 'is an output without its call')
      continue
    }
    const isOutput = type !== 'message' || isAnswer(item)
    if (open.size > 0 && (answering || !isOutput)) say(where, `stands before the output of ${[...open].join(', ')}`)
    answering = false
    if (type !== 'function_call') continue
    if (ids.has(id)) say(where, `uses the id ${String(id)} again`)
    ids.add(id)
    open.add(id)
  }
  if (open.size > 0) say('input', 'ends without outputs')
}

function isAnswer(item: Fields | undefined): boolean {
  return item?.['type'] === 'message' && item['role'] === 'assistant'
}

function checkIds(items: readonly Fields[], say: Say) {
  const seen = new Set<unknown>()
  for (const [index, { id }] of items.entries()) {
    if (id === undefined) continue
    if (seen.has(id)) say(`input.${index}`, `has the id ${String(id)} again`)
    seen.add(id)
  }
}

/** A thought is followed by the item that came of it, under its id. */
function checkThoughts(items: readonly Fields[], say: Say) {
  for (const [index, { type }] of items.entries()) {
    if (type !== 'reasoning') continue
    const next = items[index + 1]
    const isOutput = next && (next['type'] !== 'message' || isAnswer(next)) && next['type'] !== 'function_call_output'
    if (!isOutput || typeof next['id'] !== 'string') say(`input.${index}`, 'is a thought without what came of it')
  }
}

function imagesIn(items: readonly Fields[]): number {
  const parts = items.flatMap(({ content, output }) => [...listOf(content), ...listOf(output)])
  return parts.filter(({ type }) => type === 'input_image').length
}
