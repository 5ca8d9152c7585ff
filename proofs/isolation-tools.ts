import { setImmediate as turn } from 'node:timers/promises'
import { defineTool, delegateToAgent, type JsonObject, spawnAgent, type Tool, type ToolContext } from '@orra/core'
import type { Lookout } from './isolation-lookout.ts'
import { AGENTS, Mischief } from './isolation-model.ts'
import type { Tenant } from './isolation-tenant.ts'

const anything = { type: 'object', properties: {} } as const
const texts = (...names: readonly string[]) =>
  ({ type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) }) as const

/** Tools of every kind, which use all that a tool is handed and look at all that they get. */
export function hostileTools(lookout: Lookout): readonly Tool[] {
  const called = (name: string, input: unknown, context: ToolContext): Tenant | undefined => {
    const { namespace, runId, callId, metadata } = context
    const tenant = lookout.handed(`a call of the tool ${name}`, namespace, { input, runId, callId, metadata })
    if (tenant?.deniedTools.has(name)) {
      lookout.find('done', `the tool ${name}`, `it is denied and done for tenant ${tenant.index}`)
    }
    return tenant
  }
  const given = async <T>(what: string, { namespace }: ToolContext, value: Promise<T>): Promise<string> => {
    const had = await value
    lookout.handed(what, namespace, had)
    return JSON.stringify(had) ?? 'nothing'
  }
  const tool = (
    name: string,
    hints: Partial<Tool>,
    execute: (input: JsonObject, context: ToolContext, tenant: Tenant | undefined) => Promise<string>,
  ): Tool => ({
    ...defineTool({
      name,
      description: `Does ${name}.`,
      input: anything,
      execute: (input, context) => execute(input, context, called(name, input, context)),
    }),
    ...hints,
  })

  return [
    tool('note', { idempotent: true }, async ({ action, collection, id, text }, context) => {
      const { records } = context
      const [name, key] = [String(collection), String(id)]
      if (action === 'get') return given('a record', context, records.get(name, key))
      if (action === 'list') return given('a list of records', context, records.list(name, { limit: 3 }))
      if (action === 'delete') return given('the end of a record', context, records.delete(name, key))
      return given('a record that is put', context, records.put(name, key, { text: String(text) }))
    }),

    tool('memory', { idempotent: true }, async ({ action, id, text }, context) => {
      const { memory } = context
      const about = { of: String(text) }
      if (action === 'delete') return given('the end of a memory', context, memory.forget(String(id)))
      if (action === 'put')
        return given('a new memory', context, memory.remember(String(text), { id: String(id), about }))
      return given('what is recalled', context, memory.recall(String(text), { limit: 5 }))
    }),

    tool('ask_agent', { idempotent: true }, async ({ agent, message, model }, context) => {
      const asked = {
        input: String(message),
        agent: String(agent),
        ...(model === undefined ? {} : { model: String(model) }),
      }
      return given('the answer of an agent', context, context.spawn(asked))
    }),

    tool('say', { readOnly: true }, async ({ text }, context) => {
      context.progress(String(text))
      await turn()
      return `said ${String(text)}`
    }),

    tool('fail', {}, async ({ text }) => {
      await turn()
      throw new Mischief(String(text))
    }),

    {
      ...tool('open_file', { readOnly: true }, async ({ working_directory: directory }, _, tenant) => {
        if (directory === undefined || (tenant && String(directory).includes(tenant.secret))) return String(directory)
        lookout.find('seen', 'the tool open_file', `it gets a directory that no session has: ${directory}`)
        return 'no'
      }),
      input: texts('working_directory', 'path'),
    },

    tool('wipe', { destructive: true, approval: 'always' }, async ({ text }) => `wiped ${String(text)}`),
    tool('pay', { usd: 0.01, approval: 'unless-auto-approved' }, async ({ text }) => `paid ${String(text)}`),
    tool('danger', {}, async ({ text }) => `did ${String(text)}`),
    watched(spawnAgent()),
    watched(delegateToAgent(AGENTS)),
  ]

  function watched(inner: Tool): Tool {
    return {
      ...inner,
      execute(input, context) {
        called(inner.name, input, context)
        return inner.execute(input, context)
      },
    }
  }
}
