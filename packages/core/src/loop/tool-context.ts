import { bindMemory } from '../handles/bind-memory.ts'
import { bindRecords } from '../handles/bind-records.ts'
import type { BoundMemory } from '../handles/bound-memory.ts'
import type { BoundRecords } from '../handles/bound-records.ts'
import type { OpenCall, OpenRun } from '../log/conversation.ts'
import type { ReadyTool, ToolContext } from '../tool.ts'
import type { RunScope } from './run-scope.ts'
import { spawnOf } from './spawn-run.ts'

/** What one call of a tool is handed. Once it is disposed, nothing that the tool still says is heard. */
export function openToolContext(
  scope: RunScope,
  run: OpenRun,
  tool: ReadyTool,
  open: OpenCall,
  signal: AbortSignal,
): ToolContext & Disposable {
  const { services, namespace, runId, log, emit } = scope
  const { records: store } = services.store
  const { callId } = open.call
  let over = false
  let records: BoundRecords | undefined
  let memory: BoundMemory | undefined

  return {
    ...{ namespace, runId, callId, signal },
    metadata: log.conversation.metadata,
    progress(message) {
      if (!over) emit({ type: 'tool-call-progress', callId, tool: tool.name, message })
    },
    // Most tools want none of these.
    get records() {
      records ??= bindRecords(store, namespace, signal)
      return records
    },
    get memory() {
      memory ??= bindMemory(store, namespace, signal)
      return memory
    },
    spawn: spawnOf(scope, run, open, tool, signal),
    [Symbol.dispose]() {
      over = true
    },
  }
}
