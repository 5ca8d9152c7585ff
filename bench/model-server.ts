// A model server that costs as little as possible: canned replies in the words of the Messages API.
import { createServer } from 'node:http'

const event = (data: { readonly type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const usage = { input_tokens: 100, output_tokens: 20, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 }
const start = event({
  type: 'message_start',
  message: { id: 'm', type: 'message', role: 'assistant', model: 'bench', content: [], stop_reason: null, usage },
} as never)
const stop = (reason: string) =>
  event({ type: 'content_block_stop', index: 0 } as never) +
  event({ type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage } as never) +
  event({ type: 'message_stop' })

const delta = event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'word ' } } as never)
const text = (words: number) =>
  start +
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as never) +
  delta.repeat(words) +
  stop('end_turn')
const call =
  start +
  event({
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'tool_use', id: 't', name: 'add', input: {} },
  } as never) +
  event({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'input_json_delta', partial_json: '{"a":1,"b":2}' },
  } as never) +
  stop('tool_use')

const SHORT = text(20)
const LONG = text(500)

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    const last = body.subarray(-400).toString()
    response.setHeader('content-type', 'text/event-stream')
    if (body.includes('use the tool')) response.end(last.includes('tool_result') ? SHORT : call)
    else response.end(body.includes('at length') ? LONG : SHORT)
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port))
process.on('disconnect', () => process.exit())
