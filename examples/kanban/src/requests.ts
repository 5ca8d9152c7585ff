import type { JsonObject } from '@orra/core'
import { COLUMNS } from './board.ts'

/** A tool to call, as the stand-in understood it. */
export interface Request {
  readonly tool: string
  readonly input: JsonObject
}

type Rule = readonly [pattern: RegExp, request: (match: RegExpMatchArray, speaker: string) => Request]

const COLUMN = 'to ?-?do|todo|doing|done|in progress|finished'

const RULES: readonly Rule[] = [
  [
    new RegExp(
      `^(?:please )?(?:move|put|set) (?:the )?(?:task |#)?(?<id>\\d+) (?:in)?to (?:the )?(?:column )?(?<column>${COLUMN})`,
    ),
    ({ groups }) => ({
      tool: 'move_task',
      input: { id: Number(groups?.['id']), column: columnOf(groups?.['column']) },
    }),
  ],
  [
    /^(?:please )?(?<verb>finish|complete|start|reopen) (?:the )?(?:task |#)?(?<id>\d+)/,
    ({ groups }) => ({
      tool: 'move_task',
      input: { id: Number(groups?.['id']), column: VERBS[groups?.['verb'] ?? ''] ?? 'todo' },
    }),
  ],
  [
    /^(?:please )?(?:assign|give) (?:the )?(?:task |#)?(?<id>\d+) to (?<who>\w+)/,
    ({ groups }, speaker) => ({
      tool: 'assign_task',
      input: { id: Number(groups?.['id']), assignee: personOf(groups?.['who'], speaker) },
    }),
  ],
  [
    /^(?:please )?(?:create|add|make|new)(?: an?| the)?(?: new)? task:? (?:called |named |to )?(?<title>.+?)(?: (?:for|assigned to) (?<who>\w+))?$/,
    ({ groups }, speaker) => ({
      tool: 'create_task',
      input: {
        title: groups?.['title'] ?? '',
        ...(groups?.['who'] ? { assignee: personOf(groups['who'], speaker) } : {}),
      },
    }),
  ],
  [
    /^what(?:'s| is| are| am) (?<who>\w+) (?:working on|doing|busy with)/,
    ({ groups }, speaker) => ({ tool: 'list_tasks', input: { assignee: personOf(groups?.['who'], speaker) } }),
  ],
  [
    new RegExp(
      `^(?:what(?:'s| is)|which tasks are|list|show)(?: me)?(?: all)?(?: tasks)? (?:in |that are )?(?<column>${COLUMN})`,
    ),
    ({ groups }) => ({ tool: 'list_tasks', input: { column: columnOf(groups?.['column']) } }),
  ],
  [
    /\b(?:what|which|list|show|see|read)\b.*\b(?:board|tasks?|everything)\b|^(?:the )?(?:board|tasks)$/,
    () => ({ tool: 'list_tasks', input: {} }),
  ],
]

const VERBS: { readonly [verb: string]: string } = { finish: 'done', complete: 'done', start: 'doing', reopen: 'todo' }

/** What a plain request in English asks of the board; `undefined` when it is none of those that are known. */
export function understand(text: string, speaker: string): Request | undefined {
  const plain = text
    .trim()
    .replace(/[?.!\s]+$/, '')
    .replaceAll('’', "'")
  for (const [pattern, request] of RULES) {
    const match = plain.match(new RegExp(pattern, 'i'))
    if (match) return request(match, speaker)
  }
  return undefined
}

function columnOf(text = ''): string {
  const plain = text.toLowerCase()
  const known = COLUMNS.find((column) => column === plain.replaceAll(/[ -]/g, ''))
  return known ?? (plain === 'finished' ? 'done' : 'doing')
}

function personOf(text = '', speaker: string): string {
  return ['i', 'me', 'myself'].includes(text.toLowerCase()) ? speaker : text.toLowerCase()
}
