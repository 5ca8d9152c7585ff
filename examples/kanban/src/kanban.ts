import type { TerminalCommands } from '@orra/channel-terminal'
import { createRuntime, type Provider, type Runtime, type Store } from '@orra/core'
import { type Board, boardLines } from './board.ts'
import { NAMES, namespaceOf, POLICIES } from './people.ts'
import { boardTools } from './tools.ts'

/** The whole assistant: the board's operations, who may do what, and a model to talk to. */
export function createKanban(board: Board, store: Store, provider: Provider): Runtime {
  return createRuntime({
    provider,
    store,
    tools: boardTools(board),
    policies: POLICIES,
    // Whoever restarts a killed program should not wait long for what it left open.
    leaseTtlMs: 3000,
    instructions: ({ namespace }) => {
      const [, role, name] = namespace.segments
      return [
        `You speak with ${name}, a ${role} of a company, about its project board.`,
        'Use the tools to look at the board and to change it; never guess what is on it.',
        'Refer to tasks by their number and title. Be brief. Say so when a tool refuses something.',
      ].join(' ')
    },
  })
}

/** What the terminal offers beside talking. */
export function kanbanCommands(board: Board): TerminalCommands {
  return {
    as: {
      argument: '<name>',
      description: `speak as somebody else: ${NAMES.join(', ')}`,
      run({ become, print }, name) {
        const namespace = namespaceOf(name)
        if (!namespace) throw new Error(`Nobody here is called "${name}"; there are ${NAMES.join(', ')}.`)
        become(namespace)
        print(`You are ${name}, a ${namespace.segments[1]}.`)
      },
    },
    board: {
      description: 'the board as it stands',
      run({ print }) {
        for (const line of boardLines(board.tasks())) print(line)
      },
    },
  }
}
