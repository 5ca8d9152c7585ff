import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { terminalChannel } from '@orra/channel-terminal'
import { Namespace } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import { openBoard } from './board.ts'
import { kanbanCommands } from './commands.ts'
import { createKanban } from './kanban.ts'
import { chooseModel } from './model.ts'
import { PLANNER } from './planner.ts'
import { USD_PER_DAY } from './policies.ts'

const DATABASE = '.orra/kanban.db'

async function main(): Promise<void> {
  const values = readOptions()
  if (values.database === DATABASE) makeFolder(dirname(DATABASE))
  await using store = sqliteStore(values.database)
  using board = openBoard(values.database)
  const { provider, words } = chooseModel(values.model)
  await using orra = createKanban({ board, store, provider, usdPerDay: dollarsIn(values['usd-per-day']) })

  const terminal = terminalChannel({
    namespace: Namespace.of('company', 'member', 'alice'),
    commands: kanbanCommands(board),
    agents: [PLANNER.name],
    greeting: [
      words,
      `You are alice, a member. Ask about the board, or @${PLANNER.name} what is next; /help lists the commands.`,
    ].join('\n'),
  })
  await terminal.serve(orra)
}

function readOptions() {
  try {
    const database = { type: 'string', default: DATABASE } as const
    const usdPerDay = { type: 'string', default: String(USD_PER_DAY) } as const
    return parseArgs({ options: { database, model: { type: 'string' }, 'usd-per-day': usdPerDay } }).values
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.split('. ')[0] : cause
    throw new Error(`${problem}. There are --database <file>, --model <name> and --usd-per-day <amount>.`, { cause })
  }
}

function dollarsIn(text: string): number {
  const dollars = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(dollars) && dollars >= 0) return dollars
  throw new Error('--usd-per-day is an amount in US dollars, such as 2.50.')
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
  } catch (cause) {
    throw new Error(`The folder ${path} cannot be made here; give --database a path that can be written.`, { cause })
  }
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
