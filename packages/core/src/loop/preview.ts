import type { ContextReport } from '../context/context-report.ts'
import type { Conversation } from '../log/conversation.ts'
import { toUserMessage, type UserInput } from '../message.ts'
import type { Namespace } from '../namespace.ts'
import type { ModelRequest } from '../provider.ts'
import type { RunSettings } from '../store/entry.ts'
import { callersOf } from './caller.ts'
import { openRequest } from './open-request.ts'
import type { Services } from './run-scope.ts'

/** What would be sent to the model next. */
export interface Preview {
  /** Before any hook changes it. */
  readonly request: ModelRequest
  readonly report: ContextReport
}

/** What is asked about. */
export interface PreviewParts {
  readonly namespace: Namespace
  readonly conversation: Conversation
  /** A message that would be sent now. */
  readonly input: UserInput | undefined
  readonly settings: RunSettings
  readonly signal: AbortSignal
}

/** Of the run that is open, or of one that would be begun with these settings. Nothing is called and nothing written. */
export async function preview(services: Services, parts: PreviewParts): Promise<Preview> {
  const { namespace, signal } = parts
  const { run } = parts.conversation
  const conversation = parts.input === undefined ? parts.conversation : withInput(parts.conversation, parts.input)
  const rules = await services.gate.at(namespace, signal)
  const { instructions: task, ...settings } = run?.settings ?? parts.settings
  const isTask = task !== undefined && callersOf(namespace, run) !== undefined
  const open = await openRequest(services, {
    ...{ namespace, conversation, rules, signal, runId: run?.runId ?? '' },
    settings: isTask ? { ...settings, instructions: task } : settings,
  })
  const { messages, report } = open.compile()
  return { request: { ...open.request, messages }, report }
}

function withInput(conversation: Conversation, input: UserInput): Conversation {
  const turn = { messages: [{ seq: conversation.length + 1, message: toUserMessage(input) }], endedAt: undefined }
  return { ...conversation, turns: [...conversation.turns, turn] }
}
