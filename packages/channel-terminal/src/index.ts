// Everything here is public API: a name that is added is a promise.
export type { CommandContext, TerminalCommand, TerminalCommands } from './commands.ts'
export { type TerminalChannelOptions, terminalChannel } from './terminal-channel.ts'
