import type { TerminalCommands } from '@orra/channel-terminal'
import { type Board, boardLines } from './board.ts'
import { NAMES, namespaceOf } from './people.ts'

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
    explain: {
      argument: '<tool>',
      description: 'whether you may use a tool, and which policy says so',
      async run({ runtime, namespace, print }, name) {
        if (name === '') throw new Error('Say which tool, such as /explain delete_task.')
        const { allowed, reason, rule } = await runtime.explain(namespace, { type: 'tool', name })
        print(reason)
        if (!allowed && rule !== undefined) print(`The policy is ${rule}.`)
      },
    },
  }
}
