import { mentionedAgent, type Namespace, type RunEvent, type Runtime } from '@orra/core'
import { approvalCommands } from './approval-commands.ts'
import { isOf, openApprovalDesk } from './approval-desk.ts'
import { builtInCommands, type TerminalCommand, type TerminalCommands } from './commands.ts'
import type { Interrupts } from './interrupts.ts'
import type { Screen } from './screen.ts'
import type { ShownCall } from './show-context.ts'
import { showFailure } from './show-failure.ts'
import { createRunView } from './show-run.ts'
import type { WaitingCall } from './waiting-calls.ts'

/** Who speaks in a terminal, and what becomes of each line. */
export interface TerminalSession {
  /** For the prompt. */
  readonly speaker: string
  /** What the next line answers, in one line; `undefined` while nothing is asked. */
  readonly question: string | undefined
  /** Finishes what a process that died has left open in this conversation. */
  begin(): Promise<void>
  /** Does what a line says: an answer, a command, or a message. Never throws; what fails is shown. */
  take(line: string): Promise<void>
  /** Leaves what is asked undecided. */
  leaveQuestion(): void
}

interface SessionParts {
  readonly runtime: Runtime
  readonly screen: Screen
  readonly interrupts: Interrupts
  readonly namespace: Namespace
  readonly commands?: TerminalCommands
  readonly agents?: readonly string[]
  readonly leave: () => void
}

export function openTerminalSession({ runtime, screen, interrupts, leave, ...options }: SessionParts): TerminalSession {
  const { agents = [] } = options
  /** What is being sent, and the last call that came back. */
  const sent = new Map<string, number>()
  const calls = new Map<string, ShownCall>()
  const desk = openApprovalDesk(runtime, screen)
  const view = createRunView(screen)
  let namespace = options.namespace
  let isSuspended = false
  const commands: TerminalCommands = {
    ...approvalCommands({ screen, desk, decide }),
    ...builtInCommands({ screen, calls, all: () => commands }),
    ...options.commands,
  }

  function show(event: RunEvent): void {
    if (event.type === 'model-call-start') sent.set(namespace.key, event.context.estimatedTokens)
    if (event.type === 'model-call-end') {
      calls.set(namespace.key, { estimatedTokens: sent.get(namespace.key) ?? 0, usage: event.usage })
    }
    if (event.type === 'run-end') isSuspended = event.reason === 'suspended'
    view(event)
  }

  async function stoppable(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    await interrupts.stoppable(work).catch((error: unknown) => showFailure(screen, error))
  }

  /** Has runs shown, and asks for what they wait for. */
  const running = (work: (signal: AbortSignal) => Promise<unknown>) =>
    stoppable(async (signal) => {
      isSuspended = false
      await work(signal)
      if (isSuspended) await desk.ask(namespace, signal)
    })

  const begin = () => running((signal) => runtime.resume(namespace, { signal, onEvent: show }))

  async function decide(call: WaitingCall, approved: boolean): Promise<void> {
    await running(async (signal) => {
      await desk.decide(call, namespace, approved, signal)
      if (isOf(namespace, call.request)) await runtime.resume(namespace, { signal, onEvent: show })
      else screen.note('Decided. Its run goes on wherever it is worked on.')
    })
  }

  const answer = (line: string) =>
    running(async (signal) => {
      const { openRun } = (await runtime.session(namespace).head({ signal })) ?? {}
      if (openRun?.suspended) {
        // It would wait behind what nobody has decided.
        desk.remind()
        await runtime.resume(namespace, { signal, onEvent: show })
        if (isSuspended) return screen.problem('Your message was not sent: an approval comes first.')
      }
      const agent = mentionedAgent(line, agents)
      for await (const event of runtime.stream(namespace, line, { signal, ...(agent ? { agent } : {}) })) show(event)
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
    if (namespace.key === before.key) return
    desk.leave()
    await begin()
  }

  return {
    get speaker() {
      return namespace.segments.at(-1) ?? ''
    },
    get question() {
      return desk.question
    },
    begin,
    leaveQuestion: desk.leave,
    async take(line) {
      if (line.startsWith('/')) {
        const [, name = '', argument = ''] = line.match(/^\/(\S*)\s*(.*)$/) ?? []
        const command = Object.hasOwn(commands, name) ? commands[name] : undefined
        if (command) await run(command, argument)
        else screen.problem(`There is no command /${name}; /help lists them.`)
        return
      }
      const asked = desk.takeQuestion()
      if (asked && isAnswer(line)) return decide(asked, isYes(line))
      // Whoever says something else goes on without what was asked for.
      for (let call = asked; call; call = desk.takeQuestion()) await decide(call, false)
      if (line !== '') await answer(line)
    },
  }
}

function isAnswer(line: string): boolean {
  return line === '' || /^(?:y|yes|n|no)$/i.test(line)
}

function isYes(line: string): boolean {
  return /^(?:y|yes)$/i.test(line)
}
