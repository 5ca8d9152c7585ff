import { blocksOf, type Fields, isFilled, isObject, listOf, type Say } from './legal-fields.ts'
import { checkDocument, checkImage, checkMedia } from './legal-media.ts'

/**
 * What the Messages API would refuse in a request's body, in words; nothing when it would take it. Written from the
 * documents of the API alone, so that it knows nothing of how requests are made here.
 */
export function problemsIn(body: unknown): readonly string[] {
  const problems: string[] = []
  const say: Say = (where, what) => void problems.push(`${where}: ${what}`)
  if (!isObject(body)) return ['body: is no object']
  checkWhole(body, say)
  const { system, tools, tool_choice: choice, messages } = body
  if (system !== undefined) checkSystem(system, say)
  const names = tools === undefined ? undefined : checkTools(tools, say)
  if (choice !== undefined && names === undefined) say('tool_choice', 'there are no tools')
  if (!Array.isArray(messages) || messages.length === 0) return [...problems, 'messages: there is none']
  checkTurns(messages, say)
  checkPairs(messages, names !== undefined, say)
  checkMedia(messages, say)
  checkThinking(body, messages, say)
  return problems
}

const NAME = /^[a-zA-Z0-9_-]{1,64}$/
const ID = /^[a-zA-Z0-9_-]+$/
const MOST_BYTES = 32_000_000

function checkWhole(body: Fields, say: Say) {
  const json = JSON.stringify(body)
  if (Buffer.byteLength(json) > MOST_BYTES) say('body', 'is larger than 32 MB')
  // JSON.stringify writes halves of a surrogate pair as escapes, whole pairs as they are.
  if (/(?<!\\)(?:\\\\)*\\ud[89a-f]/i.test(json)) say('body', 'holds half a character')
  if (typeof body['model'] !== 'string' || body['model'] === '') say('model', 'is missing')
  if (!Number.isInteger(body['max_tokens']) || Number(body['max_tokens']) < 1) say('max_tokens', 'is no count above 0')
  if (marksIn(body) > 4) say('body', 'has more than 4 cache marks')
}

function marksIn({ tools, system, messages }: Fields): number {
  const blocks = listOf(messages).flatMap(blocksOf)
  const places = [listOf(tools), listOf(system), blocks, blocks.flatMap(({ content }) => listOf(content))].flat()
  return places.filter(({ cache_control: mark }) => mark !== undefined && mark !== null).length
}

function checkSystem(system: unknown, say: Say) {
  if (typeof system === 'string') return isFilled(system) ? undefined : say('system', 'is blank')
  for (const block of listOf(system)) {
    if (block['type'] !== 'text') say('system', 'holds something else than text')
    else checkText(block, 'system', say)
  }
}

function checkTools(tools: unknown, say: Say): ReadonlySet<unknown> | undefined {
  const list = listOf(tools)
  if (list.length === 0) return undefined
  const names = new Set<unknown>()
  for (const { name, description, input_schema: schema, cache_control: mark } of list) {
    if (typeof name !== 'string' || !NAME.test(name)) say('tools', 'has a name that is not allowed')
    if (names.has(name)) say('tools', `has two tools named ${String(name)}`)
    names.add(name)
    if (description !== undefined && !isFilled(description)) say('tools', 'has a blank description')
    if (!isObject(schema) || schema['type'] !== 'object') say('tools', 'has a schema that is of no object')
    else if ('anyOf' in schema || 'oneOf' in schema || 'allOf' in schema) say('tools', 'has a union as its schema')
    if (mark !== undefined) checkMark(mark, 'tools', say)
  }
  return names
}

function checkTurns(messages: readonly unknown[], say: Say) {
  let before: unknown
  for (const [index, message] of messages.entries()) {
    const where = `messages.${index}`
    if (!isObject(message)) return say(where, 'is no object')
    const { role } = message
    if (role !== 'user' && role !== 'assistant') return say(where, 'has an unknown role')
    if (role === before) say(where, 'is of the same role as the one before')
    before = role
    if (index === 0 && role !== 'user') say(where, 'is first, and not the user’s')
    if (index === messages.length - 1 && role !== 'user') say(where, 'is last, and not the user’s')
    const blocks = blocksOf(message)
    if (blocks.length === 0) say(where, 'is empty')
    for (const [at, block] of blocks.entries()) checkBlock(block, role, `${where}.content.${at}`, say)
  }
}

const BLOCKS: { readonly [role: string]: readonly unknown[] } = {
  user: ['text', 'image', 'document', 'tool_result'],
  assistant: ['text', 'thinking', 'redacted_thinking', 'tool_use'],
  tool_result: ['text', 'image', 'document'],
}

function checkBlock(block: Fields, role: unknown, where: string, say: Say) {
  const { type, cache_control: mark } = block
  if (!BLOCKS[String(role)]?.includes(type)) say(where, `is ${String(type)}, which ${String(role)} cannot hold`)
  if (mark !== undefined) {
    checkMark(mark, where, say)
    if (type === 'thinking' || type === 'redacted_thinking') say(where, 'is thinking with a cache mark')
  }
  if (type === 'text') checkText(block, where, say)
  else if (type === 'tool_use') checkCall(block, where, say)
  else if (type === 'tool_result') checkResult(block, where, say)
  else if (type === 'document') checkDocument(block, where, say)
  else if (type === 'image') checkImage(block, where, say)
  else if (type === 'thinking') {
    if (typeof block['thinking'] !== 'string' || !isFilled(block['signature']))
      say(where, 'is thinking without signature')
  } else if (type === 'redacted_thinking' && !isFilled(block['data'])) say(where, 'is thinking without its data')
}

function checkText({ text }: Fields, where: string, say: Say) {
  if (!isFilled(text)) say(where, 'is blank text')
}

function checkMark(mark: unknown, where: string, say: Say) {
  if (!isObject(mark) || mark['type'] !== 'ephemeral') say(where, 'has a cache mark of an unknown type')
}

function checkCall({ id, name, input }: Fields, where: string, say: Say) {
  if (typeof id !== 'string' || !ID.test(id)) say(where, 'has an id that is not allowed')
  if (typeof name !== 'string' || !NAME.test(name)) say(where, 'has a name that is not allowed')
  if (!isObject(input)) say(where, 'has an input that is no object')
}

function checkResult({ content, is_error: failed }: Fields, where: string, say: Say) {
  if (failed && (content === undefined || content === '' || content === null)) say(where, 'is an error without words')
  if (content === undefined) return
  if (typeof content === 'string') return failed && !isFilled(content) ? say(where, 'is blank') : undefined
  const blocks = listOf(content)
  if (failed && blocks.some(({ type }) => type !== 'text')) say(where, 'is an error with more than text')
  for (const [at, block] of blocks.entries()) checkBlock(block, 'tool_result', `${where}.content.${at}`, say)
}

function checkPairs(messages: readonly unknown[], hasTools: boolean, say: Say) {
  const ids = new Set<unknown>()
  let asked: readonly unknown[] = []
  for (const [index, message] of messages.entries()) {
    const where = `messages.${index}`
    const blocks = blocksOf(message)
    const answered = blocks.flatMap(({ type, tool_use_id: id }) => (type === 'tool_result' ? [id] : []))
    const missing = asked.filter((id) => !answered.includes(id))
    if (missing.length > 0) say(where, `lacks results of ${missing.join(', ')}`)
    const orphans = answered.filter((id) => !asked.includes(id))
    if (orphans.length > 0) say(where, `has results without a call: ${orphans.join(', ')}`)
    if (new Set(answered).size < answered.length) say(where, 'has two results of one call')
    const other = blocks.findIndex(({ type }) => type !== 'tool_result')
    if (other >= 0 && blocks.slice(other).some(({ type }) => type === 'tool_result'))
      say(where, 'has results after text')
    asked = blocks.flatMap(({ type, id }) => (type === 'tool_use' ? [id] : []))
    if (asked.length > 0 && !hasTools) say(where, 'has calls, and the request no tools')
    for (const id of asked) {
      if (ids.has(id)) say(where, `uses the id ${String(id)} again`)
      ids.add(id)
    }
  }
  if (asked.length > 0) say('messages', 'end with calls')
}

function checkThinking(body: Fields, messages: readonly unknown[], say: Say) {
  for (const [index, message] of messages.entries()) {
    const thoughts = blocksOf(message).map(isThought)
    if (!thoughts.includes(true)) continue
    if (!thoughts[0]) say(`messages.${index}`, 'has thinking, but not first')
    if (thoughts.at(-1)) say(`messages.${index}`, 'ends in thinking')
  }
  const { thinking } = body
  if (!isObject(thinking) || thinking['type'] !== 'enabled') return
  const budget = Number(thinking['budget_tokens'])
  if (!(budget >= 1024 && budget < Number(body['max_tokens']))) say('thinking', 'has a budget that does not fit')
  const spoke = messages.findLastIndex(
    (message) => isObject(message) && message['role'] === 'user' && !blocksOf(message).every(isResult),
  )
  const [first] = blocksOf(messages[spoke + 1])
  if (first && !isThought(first)) say('thinking', 'is asked for in a turn that began without')
}

function isThought({ type }: Fields): boolean {
  return type === 'thinking' || type === 'redacted_thinking'
}

function isResult({ type }: Fields): boolean {
  return type === 'tool_result'
}
