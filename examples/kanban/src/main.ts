import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { terminalChannel } from '@orra/channel-terminal'
import { Namespace } from '@orra/core'
import { sqliteStore } from '@orra/store-sqlite'
import { openBoard } from './board.ts'
import { createKanban, kanbanCommands } from './kanban.ts'
import { chooseModel } from './model.ts'

const DATABASE = '.orra/kanban.db'

async function main(): Promise<void> {
  const values = readOptions()
  if (values.database === DATABASE) makeFolder(dirname(DATABASE))
  await using store = sqliteStore(values.database)
  using board = openBoard(values.database)
  const { provider, words } = chooseModel(values.model)
  await using orra = createKanban(board, store, provider)

  const terminal = terminalChannel({
    namespace: Namespace.of('company', 'member', 'alice'),
    commands: kanbanCommands(board),
    greeting: `${words}\nYou are alice, a member. Ask about the board; /help lists the commands.`,
  })
  await terminal.serve(orra)
}

function readOptions() {
  try {
    const database = { type: 'string', default: DATABASE } as const
    return parseArgs({ options: { database, model: { type: 'string' } } }).values
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.split('. ')[0] : cause
    throw new Error(`${problem}. There are --database <file> and --model <name>.`, { cause })
  }
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
