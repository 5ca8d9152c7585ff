import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { type Channel, checkOptions, invalidOption, type Namespace, type OptionNames, type Runtime } from '@orra/core'
import type { TerminalCommands } from './commands.ts'
import { createInterrupts } from './interrupts.ts'
import { lineQueue } from './line-queue.ts'
import { openScreen, printable } from './screen.ts'
import { openTerminalSession } from './terminal-session.ts'

export interface TerminalChannelOptions {
  /** Who is speaking, until a command says otherwise. */
  readonly namespace: Namespace
  /** Beside those that are built in; one of the same name takes its place. */
  readonly commands?: TerminalCommands
  /** The runtime's agents whom a line calls by `@name`. @default none */
  readonly agents?: readonly string[]
  /** Shown first. */
  readonly greeting?: string
  /** @default the process's own */
  readonly input?: Readable & { readonly isTTY?: boolean }
  /** @default the process's own */
  readonly output?: Writable & { readonly isTTY?: boolean }
}

const OPTIONS: OptionNames<TerminalChannelOptions> = {
  namespace: true,
  commands: true,
  agents: true,
  greeting: true,
  input: true,
  output: true,
}

/**
 * A conversation in the terminal. On a TTY it has a prompt and colours, and Ctrl-C stops what is running; pressed once
 * more, it leaves. Otherwise it answers the input line by line, in plain text, to its end. Calls that wait for an approval
 * which is the speaker's to give are asked about: the next line answers, and nothing but a yes approves.
 */
export function terminalChannel(options: TerminalChannelOptions): Channel {
  checkOptions('terminalChannel', options, OPTIONS)
  if (!options.namespace) throw invalidOption('namespace', 'say who is speaking')
  if (options.agents !== undefined && !Array.isArray(options.agents)) {
    throw invalidOption('agents', 'give a list of names of agents')
  }
  return { name: 'terminal', serve: (runtime, { signal } = {}) => serve(runtime, options, signal) }
}

async function serve(runtime: Runtime, options: TerminalChannelOptions, signal?: AbortSignal): Promise<void> {
  const { input = process.stdin, output = process.stdout } = options
  signal?.throwIfAborted()
  const interactive = Boolean(input.isTTY && output.isTTY)
  const screen = openScreen(output)
  const readline = createInterface({ input, output, terminal: interactive })
  const lines = lineQueue(readline)
  let leaving = false

  const leave = () => {
    leaving = true
    interrupts.stop()
    readline.close()
  }
  const warn = () => {
    if (!interactive || lines.closed) return leave()
    screen.note('\nPress Ctrl-C once more to leave.')
    session.leaveQuestion()
    prompt()
  }
  const prompt = () => {
    const { question, speaker } = session
    if (interactive && !lines.closed) {
      readline.setPrompt(question ? `${printable(question)} ` : `${speaker}> `)
      readline.prompt()
    } else if (question) screen.line(question)
  }
  const interrupts = createInterrupts({ warn, leave })
  const session = openTerminalSession({ ...options, runtime, screen, interrupts, leave })
  const interrupt = () => {
    lines.clear()
    interrupts.press()
  }

  readline.on('SIGINT', interrupt)
  process.on('SIGINT', interrupt)
  signal?.addEventListener('abort', leave, { once: true })
  // Whoever was reading has gone, and nothing that is said can reach them.
  output.on('error', leave)
  try {
    if (options.greeting) screen.line(options.greeting)
    await session.begin()
    while (!leaving) {
      prompt()
      const line = await (interactive && session.question ? lines.nextFresh() : lines.next())
      if (line === undefined || leaving) break
      interrupts.reset()
      await session.take(line.trim())
      screen.endLine()
    }
    session.leaveQuestion()
  } finally {
    readline.close()
    process.off('SIGINT', interrupt)
    signal?.removeEventListener('abort', leave)
    if (await screen.flushed()) output.off('error', leave)
  }
}
