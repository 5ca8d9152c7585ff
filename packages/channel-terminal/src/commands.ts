import { type Message, type Namespace, type Runtime, textOf, toolCallsOf } from '@orra/core'
import type { Screen } from './screen.ts'
import { type ShownCall, showContext } from './show-context.ts'
import { showUsage } from './show-usage.ts'

/** What a command may do. */
export interface CommandContext {
  readonly runtime: Runtime
  /** Who is speaking. */
  readonly namespace: Namespace
  /** Speaks as somebody else from now on. */
  become(namespace: Namespace): void
  print(line?: string): void
  /** Ends the channel after this command. */
  quit(): void
}

/** Typed as `/name argument`. What it throws is shown in one line. */
export interface TerminalCommand {
  /** Such as `<name>`; shown by `/help`. */
  readonly argument?: string
  readonly description: string
  run(context: CommandContext, argument: string): void | Promise<void>
}

export type TerminalCommands = { readonly [name: string]: TerminalCommand }

interface BuiltInParts {
  readonly screen: Screen
  /** The last model call, by the key of the conversation. */
  readonly calls: ReadonlyMap<string, ShownCall>
  /** Every command there is, for the list of them. */
  readonly all: () => TerminalCommands
}

/** What every terminal knows. */
export function builtInCommands({ screen, calls, all }: BuiltInParts): TerminalCommands {
  return {
    history: {
      description: 'the conversation so far',
      async run({ runtime, namespace }) {
        const messages = await runtime.session(namespace).messages()
        if (messages.length === 0) screen.line('Nothing has been said yet.')
        for (const message of messages) showMessage(screen, message)
      },
    },
    usage: {
      description: 'what was used here today, in UTC, by model and by tool',
      async run({ runtime, namespace }) {
        showUsage(screen, await runtime.usage(namespace, 'day'))
      },
    },
    context: {
      description: 'what would be sent to the model now, and what is left out',
      async run({ runtime, namespace }) {
        const { report } = await runtime.preview(namespace)
        showContext(screen, report, calls.get(namespace.key))
      },
    },
    compact: {
      description: 'have all but the newest turn summed up',
      async run({ runtime, namespace }) {
        const compacted = await runtime.compact(namespace)
        screen.line(
          compacted ? `A summary stands now for ${compacted.turns} turns.` : 'There is nothing to sum up yet.',
        )
      },
    },
    help: {
      description: 'this list',
      run() {
        const rows = Object.entries(all()).map(([name, { argument, description }]) => ({
          call: argument === undefined ? `/${name}` : `/${name} ${argument}`,
          description,
        }))
        const width = Math.max(...rows.map(({ call }) => call.length))
        for (const { call, description } of rows) screen.line(`${call.padEnd(width)}  ${description}`)
      },
    },
    quit: {
      description: 'leave',
      run: ({ quit }) => quit(),
    },
  }
}

function showMessage(screen: Screen, message: Message): void {
  if (message.role === 'tool') return
  const text = textOf(message)
  if (message.role === 'user') screen.line(`you: ${text}`)
  else if (text !== '') screen.line(`assistant: ${text}`)
  if (message.role === 'assistant') for (const { name } of toolCallsOf(message)) screen.note(`  used ${name}`)
}
