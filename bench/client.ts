// One job on one implementation, in a process of its own; prints what it cost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { createRuntime, defineTool, memoryStore, Namespace, type Store } from '@orra/core'
import { anthropic } from '@orra/provider-anthropic'
import { sqliteStore } from '@orra/store-sqlite'

type Say = (session: string, text: string) => Promise<void>

const [job = '', implementation = '', baseURL = ''] = process.argv.slice(2)
const inputSchema = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
} as const

/** What somebody would write who needs nothing but the answer. */
function byHand(): Say {
  const client = new Anthropic({ apiKey: 'bench', baseURL, maxRetries: 0, logLevel: 'off' })
  const sessions = new Map<string, Anthropic.MessageParam[]>()
  const tools: Anthropic.Tool[] = [{ name: 'add', description: 'Adds.', input_schema: inputSchema as never }]
  return async (session, text) => {
    const messages = sessions.get(session) ?? []
    sessions.set(session, messages)
    messages.push({ role: 'user', content: text })
    for (;;) {
      const stream = await client.messages.create({
        model: 'bench',
        max_tokens: 1000,
        system: 'Be brief.',
        messages,
        tools,
        stream: true,
      })
      const content: { type: string; text?: string; json?: string; id?: string; name?: string; input?: unknown }[] = []
      for await (const event of stream) {
        if (event.type === 'content_block_start') content[event.index] = { ...event.content_block } as never
        if (event.type !== 'content_block_delta') continue
        const block = content[event.index]
        if (block && event.delta.type === 'text_delta') block.text = (block.text ?? '') + event.delta.text
        if (block && event.delta.type === 'input_json_delta') block.json = (block.json ?? '') + event.delta.partial_json
      }
      const blocks = content.map(({ json, ...block }) =>
        json === undefined ? block : { ...block, input: JSON.parse(json) },
      )
      messages.push({ role: 'assistant', content: blocks as never })
      const calls = blocks.filter(({ type }) => type === 'tool_use')
      if (calls.length === 0) return
      const results = calls.map(({ id, input }) => {
        const { a, b } = input as { a: number; b: number }
        return { type: 'tool_result' as const, tool_use_id: id ?? '', content: `${a + b}` }
      })
      messages.push({ role: 'user', content: results })
    }
  }
}

function withOrra(store: Store): Say {
  const add = defineTool({
    name: 'add',
    description: 'Adds.',
    input: inputSchema,
    readOnly: true,
    execute: ({ a, b }) => `${Number(a) + Number(b)}`,
  })
  const provider = anthropic({ model: 'bench', apiKey: 'bench', baseURL, maxRetries: 0, promptCaching: false })
  const orra = createRuntime({ provider, store, tools: [add], instructions: 'Be brief.' })
  return async (session, text) => {
    for await (const _ of orra.stream(Namespace.of('bench', session), text));
  }
}

/** Runs the job and returns the milliseconds of CPU of each part of it that is compared. */
async function measure(say: Say): Promise<Record<string, number>> {
  const cost = async (work: () => Promise<void>) => {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  const times = async (count: number, work: (index: number) => Promise<void>) => {
    for (let index = 0; index < count; index += 1) await work(index)
  }
  await times(20, (index) => say(`warm-${index}`, 'Hello'))
  switch (job) {
    case 'tool runs':
      return { all: await cost(() => times(300, (index) => say(`${index}`, 'Please use the tool'))) }
    case '300 turns': {
      const first = await cost(() => times(50, () => say('one', 'Hello')))
      const middle = await cost(() => times(200, () => say('one', 'Hello')))
      const last = await cost(() => times(50, () => say('one', 'Hello')))
      return { all: first + middle + last, first, last }
    }
    default:
      return { all: await cost(() => times(100, (index) => say(`${index}`, 'Tell me at length'))) }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'orra-bench-'))
const says = {
  'by hand': byHand,
  memory: () => withOrra(memoryStore()),
  sqlite: () => withOrra(sqliteStore(join(folder, 'bench.db'))),
}
const costs = await measure(says[implementation as keyof typeof says]())
rmSync(folder, { recursive: true })
console.log(JSON.stringify(costs))
