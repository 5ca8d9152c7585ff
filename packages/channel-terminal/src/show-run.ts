import { type RunEvent, textOf } from '@orra/core'
import { agentScreen } from './agent-screen.ts'
import { callInWords } from './approval-words.ts'
import type { Screen } from './screen.ts'
import { shortened } from './shortened.ts'

/** Shows runs event by event. What sub-agents do has lines of its own. */
export function createRunView(screen: Screen): (event: RunEvent) => void {
  /** By the namespace in which they work. */
  const agents = new Map<string, { readonly part: Screen; readonly show: (event: RunEvent) => void }>()

  function viewOf(agent: string, namespace: string) {
    const known = agents.get(namespace)
    if (known) return known
    const part = agentScreen(screen, agent)
    const view = { part, show: createRunView(part) }
    agents.set(namespace, view)
    return view
  }

  return (event) => {
    if (event.type === 'agent-event') {
      viewOf(event.agent, event.namespace).show(event.event)
      if (event.event.type === 'run-end') agents.delete(event.namespace)
      return
    }
    if (event.type === 'run-end') {
      for (const { part } of agents.values()) part.endLine()
      agents.clear()
    }
    showEvent(screen, event)
  }
}

function showEvent(screen: Screen, event: Exclude<RunEvent, { type: 'agent-event' }>): void {
  switch (event.type) {
    case 'waiting':
      screen.note('This conversation is in use elsewhere, or was interrupted; waiting …')
      break
    case 'compaction':
      screen.note(`The ${event.turns} oldest turns were summed up, for not all would have fitted any more`)
      break
    case 'text-delta':
      screen.write(event.text)
      break
    case 'tool-call-start':
      screen.note(`→ ${event.tool} ${shortened(JSON.stringify(event.input))}`)
      break
    case 'tool-call-progress':
      screen.note(`  ${event.tool}: ${event.message}`)
      break
    case 'approval-requested':
      screen.note(`? ${callInWords(event.request)} needs an approval`)
      break
    case 'approval-decided':
      screen.note(decisionInWords(event))
      break
    case 'tool-call-end':
      if (event.isError) screen.note(`✗ ${event.tool}: ${shortened(textOf(event.content))}`)
      else screen.note(`✓ ${event.tool} (${Math.round(event.durationMs)} ms)`)
      break
    case 'model-call-end':
      screen.endLine()
      break
    case 'run-end':
      screen.endLine()
      showEnd(screen, event)
      break
    default:
      break
  }
}

function decisionInWords({ tool, approved, by, reason }: Extract<RunEvent, { type: 'approval-decided' }>): string {
  const who = by === undefined ? '' : ` by ${by}`
  const why = reason === undefined ? '' : `: ${shortened(reason)}`
  return `  ${tool} was ${approved ? 'approved' : 'refused'}${who}${why}`
}

/** A run that is suspended has not ended; what it waits for is asked about elsewhere. */
function showEnd(screen: Screen, { reason, denial }: Extract<RunEvent, { type: 'run-end' }>): void {
  if (reason === 'aborted') screen.note('(stopped)')
  if (reason === 'length') screen.note('(the reply reached its limit)')
  if (reason === 'max-turns') screen.note('(stopped after as many steps as one message may take)')
  if (reason === 'limit') screen.problem(denial ?? 'A limit was reached.')
  if (reason === 'denied') screen.problem(denial ?? 'This was denied.')
}
