import { bindMemory } from '../handles/bind-memory.ts'
import { bindRecords } from '../handles/bind-records.ts'
import type { BoundMemory } from '../handles/bound-memory.ts'
import type { BoundRecords } from '../handles/bound-records.ts'
import type { OpenCall, OpenRun } from '../log/conversation.ts'
import type { ReadyTool, ToolContext } from '../tool.ts'
import { rootOf } from './caller.ts'
import type { RunScope } from './run-scope.ts'
import { openSpawner } from './spawn-run.ts'

/** What one call of a tool is handed. */
export interface OpenToolContext {
  readonly context: ToolContext
  /** The tool is done: nothing that it still says is heard. Throws `CALL_WAITS` where the call is to be made again. */
  end(): Promise<void>
}

export function openToolContext(
  scope: RunScope,
  run: OpenRun,
  tool: ReadyTool,
  open: OpenCall,
  signal: AbortSignal,
): OpenToolContext {
  const { services, namespace, runId, log, emit } = scope
  const { records: store } = services.store
  const { callId } = open.call
  const root = rootOf(namespace, run)
  const spawner = openSpawner(scope, run, open, tool, signal)
  let over = false
  let records: BoundRecords | undefined
  let memory: BoundMemory | undefined

  const context: ToolContext = {
    ...{ namespace, root, runId, callId, signal },
    metadata: log.conversation.metadata,
    progress(message) {
      if (!over) emit({ type: 'tool-call-progress', callId, tool: tool.name, message })
    },
    // Most tools want none of these.
    get records() {
      records ??= bindRecords(store, root, signal)
      return records
    },
    get memory() {
      memory ??= bindMemory(store, root, signal)
      return memory
    },
    spawn: spawner.spawn,
  }
  return {
    context,
    end() {
      over = true
      return spawner.end()
    },
  }
}
