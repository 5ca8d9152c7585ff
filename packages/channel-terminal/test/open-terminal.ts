import { PassThrough } from 'node:stream'
import { type ScriptStep, scriptedProvider } from '@orra/conformance'
import { createRuntime, Namespace, type RuntimeOptions } from '@orra/core'
import { vi } from 'vitest'
import { type TerminalCommands, terminalChannel } from '../src/index.ts'

export const bob = Namespace.of('member', 'bob')
export const ESCAPE = '\u001b'

export interface TerminalOptions extends Partial<RuntimeOptions> {
  readonly tty?: boolean
  readonly commands?: TerminalCommands
  /** Those that a line can call. */
  readonly callable?: readonly string[]
}

/** A terminal whose keys the test presses and whose screen it reads. */
export function openTerminal(steps: readonly ScriptStep[], options: TerminalOptions = {}) {
  const { tty = false, commands = {}, callable = [], ...rest } = options
  const input = Object.assign(new PassThrough(), { isTTY: tty })
  const output = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: tty, columns: 80 })
  let shown = ''
  output.on('data', (text: string) => {
    shown += text
  })
  const provider = scriptedProvider(steps)
  const orra = createRuntime({ provider, ...rest })
  const channel = terminalChannel({
    ...{ namespace: bob, greeting: 'Welcome.', commands, agents: callable, input, output },
  })
  const served = channel.serve(orra)
  return {
    orra,
    provider,
    output,
    served,
    press: (keys: string) => input.write(keys),
    end: () => input.end(),
    /** All that was shown, without colours and cursor movements. */
    screen: () => shown.replaceAll(new RegExp(`${ESCAPE}\\[[0-9;]*[A-Za-z]`, 'g'), ''),
    raw: () => shown,
    shows: (text: string) => vi.waitUntil(() => shown.includes(text)),
  }
}

/** All lines at once, as from a pipe; what was printed. */
export async function piped(
  lines: readonly string[],
  steps: readonly ScriptStep[],
  options: TerminalOptions = {},
): Promise<string> {
  const terminal = openTerminal(steps, options)
  terminal.press(lines.map((line) => `${line}\n`).join(''))
  terminal.end()
  await terminal.served
  return terminal.screen()
}
