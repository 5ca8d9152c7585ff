import { type Entry, type LoggedEntry, type MessageEntry, textOf, toolCallsOf } from '@orra/core'

/** What must never be seen in a log. */
export type Wrong = 'lost' | 'doubled' | 'interleaved' | 'out of order'

export interface Problem {
  readonly wrong: Wrong
  /** Where and what, in words. */
  readonly text: string
}

/** How a message came out. */
interface Answer {
  readonly text: string
  /** From its acceptance to the end of its run, by the store's clock. */
  readonly tookMs: number
  /** When its run ended. */
  readonly at: number
}

/** What a session's log says, read from its beginning, without the help of orra's own way to read it. */
export interface ReadLog {
  /** The keys of all accepted messages, in their order. */
  readonly accepted: readonly string[]
  readonly answers: ReadonlyMap<string, Answer>
  /** Calls that began, by id: whether nobody knows what came of them. */
  readonly begun: ReadonlyMap<string, boolean>
  readonly problems: readonly Problem[]
}

/** Finds everything that is wrong in a log in which every message is to be answered by a run of its own. */
export function readLog(session: string, entries: readonly LoggedEntry[]): ReadLog {
  const reader = logReader(session)
  for (const logged of entries) reader.add(logged)
  return reader.end()
}

interface Run {
  readonly id: string
  readonly input: string
  text: string
  /** Those that have no result yet. */
  readonly calls: Set<string>
}

function logReader(session: string) {
  const problems: Problem[] = []
  const acceptedAt = new Map<string, number>()
  const taken = new Set<string>()
  const answers = new Map<string, Answer>()
  const begun = new Map<string, boolean>()
  let run: Run | undefined
  let place = 0
  const note = (wrong: Wrong, what: string) =>
    void problems.push({ wrong, text: `${session}, entry ${place}: ${what}` })

  const read: { readonly [Type in Entry['type']]: (entry: Extract<Entry, { type: Type }>, at: number) => void } = {
    input({ key }, at) {
      if (acceptedAt.has(key)) note('doubled', `"${key}" is accepted again`)
      else acceptedAt.set(key, at)
    },
    'input-withdrawn': ({ input }) => note('lost', `"${input}" is withdrawn`),
    'run-started'({ runId, input }) {
      if (run) note('interleaved', `a run begins within that of "${run.input}"`)
      run = { id: runId, input, text: '', calls: new Set() }
    },
    message(entry) {
      if (run) readMessage(run, entry)
      else note('interleaved', `a message of the ${entry.message.role} stands outside of a run`)
    },
    'tool-started'({ callId }) {
      if (!run?.calls.has(callId)) note('interleaved', `"${callId}" begins and is not open`)
      if (begun.has(callId)) note('doubled', `"${callId}" begins again`)
      begun.set(callId, true)
    },
    'run-ended'({ runId, reason }, at) {
      if (run?.id !== runId) return note('interleaved', 'a run ends that is not open')
      const { input, text, calls } = run
      run = undefined
      if (calls.size > 0) note('lost', `the run of "${input}" ends before its calls`)
      if (reason !== 'completed') note('lost', `the run of "${input}" ends with "${reason}"`)
      if (answers.has(input)) note('doubled', `"${input}" is answered again`)
      answers.set(input, { text, at, tookMs: at - (acceptedAt.get(input) ?? at) })
    },
    metadata: () => {},
    compaction: () => {},
    'message-pinned': () => {},
    'message-unpinned': () => {},
    // Nothing in a storm needs an approval.
    'approval-requested': ({ request }) => note('doubled', `"${request.callId}" waits for an approval`),
    'approval-decided': ({ callId }) => note('doubled', `"${callId}" is decided`),
    'run-suspended': () => note('doubled', 'a run is suspended'),
    'call-woken': ({ callId }) => note('doubled', `"${callId}" is woken`),
  }

  function readMessage({ calls, input: own }: Run, { message, input }: MessageEntry): void {
    if (message.role === 'tool') {
      for (const { callId, isError } of message.content) {
        if (!calls.delete(callId)) note('doubled', `a result of "${callId}", which is not open`)
        if (begun.has(callId)) begun.set(callId, isError === true)
      }
      return
    }
    if (calls.size > 0) note('interleaved', `a message of the ${message.role} stands before the results of calls`)
    if (message.role === 'assistant') {
      if (run) run.text = textOf(message)
      for (const { callId } of toolCallsOf(message)) calls.add(callId)
      return
    }
    if (input !== own) note('interleaved', `the run of "${own}" takes "${input}"`)
    if (input === undefined) return
    if (taken.has(input)) note('doubled', `"${input}" is taken again`)
    taken.add(input)
  }

  return {
    add({ seq, at, entry }: LoggedEntry): void {
      place += 1
      if (seq !== place)
        note('lost', `its place is ${seq}`)
        // Each kind is read by the function of its name.
      ;(read[entry.type] as (entry: Entry, at: number) => void)(entry, at)
    },
    end(): ReadLog {
      const accepted = [...acceptedAt.keys()]
      for (const key of accepted) if (!answers.has(key)) note('lost', `"${key}" was accepted and never answered`)
      const inTurn = accepted.filter((key) => taken.has(key))
      for (const [index, key] of [...taken].entries()) {
        if (key !== inTurn[index]) note('out of order', `"${key}" was answered as number ${index + 1}`)
      }
      return { accepted, answers, begun, problems }
    },
  }
}
