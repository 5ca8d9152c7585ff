import type { ContextReport, Namespace, RunEvent, Runtime } from '@orra/core'
import { builtInCommands, type TerminalCommand, type TerminalCommands } from './commands.ts'
import type { Interrupts } from './interrupts.ts'
import type { Screen } from './screen.ts'
import { showEvent, showFailure } from './show-run.ts'

/** Who speaks in a terminal, and what becomes of each line. */
export interface TerminalSession {
  /** For the prompt. */
  readonly speaker: string
  /** Finishes what a process that died has left open in this conversation. */
  begin(): Promise<void>
  /** Does what a line says: a command, or a message. Never throws; what fails is shown. */
  take(line: string): Promise<void>
}

interface SessionParts {
  readonly runtime: Runtime
  readonly screen: Screen
  readonly interrupts: Interrupts
  readonly namespace: Namespace
  readonly commands?: TerminalCommands
  readonly leave: () => void
}

export function openTerminalSession({ runtime, screen, interrupts, leave, ...options }: SessionParts): TerminalSession {
  const contexts = new Map<string, ContextReport>()
  let namespace = options.namespace
  const commands: TerminalCommands = {
    ...builtInCommands({ screen, contexts, all: () => commands }),
    ...options.commands,
  }

  function show(event: RunEvent): void {
    if (event.type === 'model-call-start') contexts.set(namespace.key, event.context)
    showEvent(screen, event)
  }

  async function stoppable(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    await interrupts.stoppable(work).catch((error: unknown) => showFailure(screen, error))
  }

  const begin = () => stoppable((signal) => runtime.resume(namespace, { signal, onEvent: show }))

  const answer = (line: string) =>
    stoppable(async (signal) => {
      for await (const event of runtime.stream(namespace, line, { signal })) show(event)
    })

  async function run(command: TerminalCommand, argument: string): Promise<void> {
    const before = namespace
    await stoppable(async () =>
      command.run(
        {
          runtime,
          namespace,
          become: (other) => {
            namespace = other
          },
          print: screen.line,
          quit: leave,
        },
        argument,
      ),
    )
    if (namespace.key !== before.key) await begin()
  }

  return {
    get speaker() {
      return namespace.segments.at(-1) ?? ''
    },
    begin,
    async take(line) {
      if (line === '') return
      if (!line.startsWith('/')) return answer(line)
      const [, name = '', argument = ''] = line.match(/^\/(\S*)\s*(.*)$/) ?? []
      const command = Object.hasOwn(commands, name) ? commands[name] : undefined
      if (command) await run(command, argument)
      else screen.problem(`There is no command /${name}; /help lists them.`)
    },
  }
}
