import type { OpenRun } from '../log/conversation.ts'
import type { UserMessage } from '../message.ts'
import { outputInvalid, readAnswer } from '../output.ts'
import { compileSchema } from '../schema.ts'
import { beforeAppend, hookBase, type RunScope } from './run-scope.ts'

/** So many problems of an answer are told to the model, and so much of each, in characters: a validator may list all that it knows. */
const MOST = { problems: 10, characters: 200 }

/**
 * Whether the run's last text is what its `output` describes, by the JSON Schema that stands in the log, so that every process
 * finds the same. If not, the model is asked once more; throws `output.invalid` when it may not be.
 */
export async function isAnswer(scope: RunScope, run: OpenRun, mayAskAgain: boolean): Promise<boolean> {
  const { output } = run.settings
  if (!output) return true
  const answer = await readAnswer(compileSchema(output), run.text)
  if (answer.valid) return true
  if (!mayAskAgain) throw outputInvalid(answer.places)
  const message = await beforeAppend(scope.services.hooks, hookBase(scope), askAgain(answer.problems))
  await scope.log.append([{ type: 'message', message }], scope.lease)
  scope.emit({ type: 'asked-again', message })
  return false
}

function askAgain(problems: readonly string[]): UserMessage {
  const lines = problems.slice(0, MOST.problems).map((problem) => `- ${clipped(problem)}`)
  const text = `That answer is not the JSON that was asked for:\n${lines.join('\n')}\nGive it again, as a whole, as JSON and nothing else.`
  return { role: 'user', content: [{ type: 'text', text }] }
}

function clipped(problem: string): string {
  return problem.length <= MOST.characters ? problem : `${problem.slice(0, MOST.characters).toWellFormed()}…`
}
