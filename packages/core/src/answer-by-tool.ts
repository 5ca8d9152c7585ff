import type { JsonObject } from './json.ts'
import { type AssistantMessage, toolCallsOf } from './message.ts'
import type { ModelEvent, ModelRequest, ModelResponse } from './provider.ts'

/** A request in which a tool stands for the answer. */
export interface ToolAnswerRequest extends Omit<ModelRequest, 'outputSchema'> {
  /** The tool of `tools` whose input is the answer; the model must call it, or another. */
  readonly answerTool: string
}

/**
 * How a provider gives an answer by `outputSchema` whose API knows tools only: the request that `ask` is given has one tool more,
 * and a call of it comes out as text. Text that comes before is held back until it is known whether it is the answer.
 */
export async function* answerByTool(
  { outputSchema, ...request }: ModelRequest & { readonly outputSchema: JsonObject },
  ask: (request: ToolAnswerRequest) => AsyncIterable<ModelEvent>,
): AsyncIterable<ModelEvent> {
  const answerTool = freeName(request.tools.map(({ name }) => name))
  const spec = {
    name: answerTool,
    description: 'Gives the final answer. Call it once, at the end.',
    inputSchema: outputSchema,
  }
  let held = ''
  for await (const event of ask({ ...request, tools: [...request.tools, spec], answerTool })) {
    if (event.type === 'text-delta') {
      held += event.text
      continue
    }
    if (event.type === 'finish') {
      const { answer, response } = withAnswer(event, answerTool)
      const text = answer ?? held
      if (text !== '') yield { type: 'text-delta', text }
      yield { ...response, type: 'finish' }
      return
    }
    yield event
  }
}

function freeName(taken: readonly string[]): string {
  let name = 'final_answer'
  for (let other = 2; taken.includes(name); other += 1) name = `final_answer_${other}`
  return name
}

/** The reply without calls of the answer's tool, of which nobody else knows. Other calls come first: then it is no answer yet. */
function withAnswer(
  response: ModelResponse,
  answerTool: string,
): { answer: string | undefined; response: ModelResponse } {
  const { message } = response
  const [call] = toolCallsOf(message).filter(({ name }) => name === answerTool)
  if (!call) return { answer: undefined, response }
  const rest = message.content.filter((part) => !(part.type === 'tool-call' && part.name === answerTool))
  if (rest.some(({ type }) => type === 'tool-call')) {
    return { answer: undefined, response: { ...response, message: { ...message, content: rest } } }
  }
  const answer = JSON.stringify(call.input)
  const thoughts = rest.filter(({ type }) => type === 'reasoning')
  const content: AssistantMessage['content'] = [...thoughts, { type: 'text', text: answer }]
  const stopReason = response.stopReason === 'tool-calls' ? 'stop' : response.stopReason
  return { answer, response: { ...response, stopReason, message: { ...message, content } } }
}
