import type { JsonObject } from '@orra/core'
import { NAMES } from './people.ts'

/** A tool to call, as the stand-in understood it. */
export interface Request {
  readonly tool: string
  readonly input: JsonObject
}

type Words = { readonly [name: string]: string | undefined }
type Rule = readonly [pattern: RegExp, request: (words: Words, speaker: string) => Request]

const POLITE = /^(?:(?:please|could you|can you|would you|i want to|let us|let's)[, ]+)*/i
const TASK = '(?:the )?(?:task ?)?(?:#|number )?(?<id>\\d+)'
const COLUMN = '(?:the )?(?:column )?(?<column>to[ -]?do|doing|done|in[ -]progress|finished)(?: column)?'
const WHO = `(?<who>${NAMES.join('|')}|me|myself|i)`
const NEXT = "what(?:'s| is| comes) next|what (?:should|shall|can) (?:i|we) do(?: next| now)?"
const VERBS: { readonly [verb: string]: string } = {
  finish: 'done',
  complete: 'done',
  close: 'done',
  start: 'doing',
  begin: 'doing',
  reopen: 'todo',
}

const move = ({ id, column }: Words): Request => ({
  tool: 'move_task',
  input: { id: Number(id), column: columnOf(column) },
})
const assign = ({ id, who }: Words, speaker: string): Request => ({
  tool: 'assign_task',
  input: { id: Number(id), assignee: personOf(who, speaker) },
})
const create = ({ title = '', who }: Words, speaker: string): Request => ({
  tool: 'create_task',
  input: { title: title.replace(/^["“'](.+)["”']$/, '$1'), ...(who ? { assignee: personOf(who, speaker) } : {}) },
})
const deletion = ({ id }: Words): Request => ({ tool: 'delete_task', input: { id: Number(id) } })
const delegate = ({ agent = 'planner', message = '' }: Words): Request => ({
  tool: 'delegate_to_agent',
  input: { agent: agent.toLowerCase(), message },
})
const listOf = ({ who, column }: Words, speaker: string): Request => ({
  tool: 'list_tasks',
  input: { ...(column ? { column: columnOf(column) } : {}), ...(who ? { assignee: personOf(who, speaker) } : {}) },
})

/** Each matches a whole request: one that is only half understood is not done by halves. */
const RULES: readonly Rule[] = [
  rule(`(?:move|put|set) ${TASK} (?:back )?(?:in|in ?to|to) ${COLUMN}`, move),
  rule(`mark ${TASK} (?:as )?${COLUMN}`, move),
  rule(`(?<verb>${Object.keys(VERBS).join('|')}) ${TASK}`, ({ id, verb = '' }) =>
    move({ id, column: VERBS[verb.toLowerCase()] }),
  ),
  rule(`(?:delete|remove|drop|throw away) ${TASK}(?: from the board)?`, deletion),
  rule('(?:ask|tell) (?:the )?(?<agent>planner)(?: to tell me)?[,:]? (?<message>.+)', delegate),
  rule(`(?<message>${NEXT})`, delegate),
  rule(`(?:assign|give|hand) ${TASK} (?:over )?to ${WHO}`, assign),
  rule(
    `(?:create|add|make|new)(?: an?| the)?(?: new)? task:? (?:called |named )?(?!\\d|(?:for|to) )(?<title>.+?)(?: (?:for|assigned to) ${WHO})?`,
    create,
  ),
  rule(`(?:add|put) (?<title>["“'].+["”']) (?:to|on) the board`, create),
  rule(`what(?:'s| is| am| are) ${WHO} (?:working on|doing|busy with)`, listOf),
  rule(
    `(?:what (?:is|are)|what's|list|show|which are)(?: me)?(?: all)? (?<who>my|${NAMES.map((name) => `${name}'s`).join('|')}) tasks`,
    listOf,
  ),
  rule(`(?:list|show|which)(?: me)?(?: all)?(?: the)? tasks (?:are )?(?:assigned to|of|for) ${WHO}`, listOf),
  rule(
    `(?:what(?:'s| is| are)|which|list|show)(?: me)?(?: all)?(?: the)?(?: tasks)?(?: are| that are)?(?: in)? ${COLUMN}(?: tasks)?`,
    listOf,
  ),
  rule(
    `(?:what(?:'s| is| tasks are)|which tasks are|list|show|see|read)(?: me)?(?: everything)?(?: all)?(?: on| there)?(?: (?:the|our))?(?: (?:board|tasks?))?(?: on the board)?`,
    () => ({
      tool: 'list_tasks',
      input: {},
    }),
  ),
  rule('(?:the )?(?:board|tasks)', () => ({ tool: 'list_tasks', input: {} })),
]

function rule(pattern: string, request: Rule[1]): Rule {
  return [new RegExp(`^${pattern}$`, 'i'), request]
}

/** Whether a planner is asked what to do. */
export function asksForPlan(text: string): boolean {
  return new RegExp(`^(?:${NEXT})$`, 'i').test(bareOf(text))
}

/** What a plain request in English asks of the board; `undefined` when it is none of those that are known. */
export function understand(text: string, speaker: string): Request | undefined {
  const bare = bareOf(text)
  for (const [pattern, request] of RULES) {
    const match = bare.match(pattern)
    if (match) return request(match.groups ?? {}, speaker)
  }
  return undefined
}

/** Without the name of whoever is called, courtesies and punctuation around it. */
function bareOf(text: string): string {
  const plain = text.replaceAll('’', "'").replaceAll(/\s+/g, ' ').trim()
  return plain
    .replace(/^@planner[,:]? /i, '')
    .replace(POLITE, '')
    .replace(/(?:,? please)?[?.!\s]*$/i, '')
}

function columnOf(text = ''): string {
  const plain = text.toLowerCase().replaceAll(/[ -]/g, '')
  if (plain === 'inprogress') return 'doing'
  return plain === 'finished' ? 'done' : plain
}

function personOf(text = '', speaker: string): string {
  const name = text.toLowerCase().replace(/'s$/, '')
  return ['i', 'me', 'my', 'myself'].includes(name) ? speaker : name
}
