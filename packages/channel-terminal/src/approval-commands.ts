import type { ApprovalDesk } from './approval-desk.ts'
import { askedCall, restInWords } from './approval-words.ts'
import type { TerminalCommand, TerminalCommands } from './commands.ts'
import type { Screen } from './screen.ts'
import type { WaitingCall } from './waiting-calls.ts'

interface ApprovalCommandParts {
  readonly screen: Screen
  readonly desk: ApprovalDesk
  /** Decides in the speaker's name, and goes on with what waited for it. */
  readonly decide: (call: WaitingCall, approved: boolean) => Promise<void>
}

/** For calls that were left waiting. */
export function approvalCommands({ screen, desk, decide }: ApprovalCommandParts): TerminalCommands {
  const decision = (approved: boolean, description: string): TerminalCommand => ({
    argument: '<number>',
    description,
    async run({ namespace }, argument) {
      const calls = await desk.list(namespace)
      const call = calls.find(({ number }) => String(number) === argument)
      if (!call) throw new Error('No call of this number waits here; /approvals lists those that do.')
      await decide(call, approved)
    },
  })

  return {
    approvals: {
      description: 'what waits for an approval here',
      async run({ namespace }) {
        const calls = await desk.list(namespace)
        if (calls.length === 0) screen.line('Nothing waits for an approval here.')
        for (const call of calls) showCall(screen, call)
      },
    },
    approve: decision(true, 'approve a call that waits'),
    deny: decision(false, 'refuse a call that waits'),
  }
}

function showCall(screen: Screen, { number, request }: WaitingCall): void {
  const { rule, expiresAt, deciders } = request
  screen.line(`${number}. ${askedCall(request)}`)
  const rest = restInWords(request)
  if (rest !== undefined) screen.line(`   ${rest}`)
  screen.note(`   asked for by ${rule}; refused if nobody decides until ${timeInWords(expiresAt)}`)
  if (deciders) screen.note(`   may be decided by ${deciders.join(', ')}`)
}

/** `2026-01-31 12:00 UTC`; times too far away for a date have no words. */
function timeInWords(time: number): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return 'the end of time'
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
