import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { OrraError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { definePlugin } from './define-plugin.ts'
import type { Plugin } from './plugin.ts'
import { readyPlugins } from './plugin-set.ts'

const SECRET = 'sk-never-show-this'

const thrownBy = (work: () => unknown): OrraError => {
  try {
    work()
  } catch (error) {
    return error as OrraError
  }
  throw new Error('Nothing was thrown.')
}

const withZod = definePlugin({
  name: 'weather',
  version: '1.0.0',
  config: z.object({ apiKey: z.string(), days: z.number().max(7).default(3) }),
  create(config) {
    expectTypeOf(config).toEqualTypeOf<{ apiKey: string; days: number }>()
    return { policies: { a: { tools: { deny: [config.apiKey, String(config.days)] } } } }
  },
})

const withJson = definePlugin({
  name: 'weather',
  config: {
    type: 'object',
    properties: {
      apiKey: { type: 'string' },
      limits: { type: 'object', properties: { days: { type: 'number', maximum: 7 } }, required: ['days'] },
    },
    required: ['apiKey'],
    additionalProperties: false,
  },
  create(config) {
    expectTypeOf(config).toEqualTypeOf<JsonObject>()
    return { policies: { a: { tools: { deny: [String(config['apiKey'])] } } } }
  },
})

describe('a defined plugin', () => {
  it('is made of a configuration as its schema leaves it', () => {
    expectTypeOf(withZod).parameters.toEqualTypeOf<[config: { apiKey: string; days?: number | undefined }]>()
    expectTypeOf(withZod).returns.toEqualTypeOf<Plugin>()
    const policies = { a: { tools: { deny: ['k', '3'] } } }
    expect(withZod({ apiKey: 'k' })).toEqual({ name: 'weather', version: '1.0.0', policies })
    expect(withJson({ apiKey: 'k' })).toEqual({ name: 'weather', policies: { a: { tools: { deny: ['k'] } } } })
    expect(readyPlugins([withZod({ apiKey: 'k' })]).policies).toEqual([policies])
  })

  it('needs no configuration where nothing in it is needed', () => {
    const plugin = definePlugin({ name: 'a', config: z.object({ days: z.number().default(3) }), create: () => ({}) })
    expect(plugin()).toEqual({ name: 'a' })
    // @ts-expect-error its key is needed
    expect(thrownBy(() => withZod()).code).toBe('plugin.invalid')
    expect(thrownBy(() => withJson()).message).toContain('"apiKey"')
  })

  it('takes functions in a configuration whose schema does', () => {
    const config = z.object({ fetch: z.custom<() => string>((value) => typeof value === 'function') })
    const plugin = definePlugin({
      name: 'a',
      config,
      create: ({ fetch }) => ({ policies: { a: { tools: { deny: [fetch()] } } } }),
    })
    expect(plugin({ fetch: () => 'x' }).policies).toEqual({ a: { tools: { deny: ['x'] } } })
  })

  it('names the places that do not fit, and never a value', () => {
    const bad = { apiKey: 7, days: SECRET } as never
    const byZod = thrownBy(() => withZod(bad))
    expect(byZod).toMatchObject({ code: 'plugin.invalid', details: { plugin: 'weather' } })
    expect(byZod.message).toContain('"apiKey", "days"')
    const config = toStandardJsonSchema(v.object({ apiKey: v.number() }))
    const valibot = definePlugin({ name: 'weather', config, create: () => ({}) })
    const byValibot = thrownBy(() => valibot({ apiKey: SECRET as unknown as number }))
    expect(byValibot.message).toContain('"apiKey"')
    const byJson = thrownBy(() => withJson({ limits: { days: 4111 }, typo: SECRET }))
    for (const place of ['"apiKey"', '"limits.days"', '"typo"']) expect(byJson.message).toContain(place)
    expect(thrownBy(() => withJson({ apiKey: 'k', limits: {} })).message).toContain('"limits.days"')
    expect(thrownBy(() => withJson(SECRET as never)).message).toContain('its top')
    for (const { message, details } of [byZod, byValibot, byJson]) {
      expect(JSON.stringify({ message, details })).not.toMatch(/sk-never|4111/)
    }
  })

  it('refuses what is no JSON where the schema is one', () => {
    const thrown = thrownBy(() => withJson({ apiKey: (() => 'k') as never }))
    expect(thrown).toMatchObject({ code: 'plugin.invalid' })
    expect(thrown.message).toContain('not JSON')
  })

  it('refuses a schema that checks later', async () => {
    const slow = z.object({ apiKey: z.string().refine(async () => true) })
    const failing = { ...slow['~standard'], validate: () => Promise.reject(new Error('later')) }
    for (const config of [slow, { '~standard': failing }]) {
      const plugin = definePlugin({ name: 'a', config, create: () => ({}) })
      const thrown = thrownBy(() => plugin({ apiKey: 'k' }))
      expect(thrown).toMatchObject({ code: 'plugin.invalid' })
      expect(thrown.message).toContain('checks at once')
    }
  })

  it('lets errors of the factory through, and wraps what is unknown', () => {
    const ours = new OrraError('options.invalid', 'No.', { details: { option: 'a', problem: 'b' } })
    const throwing = (error: unknown) =>
      definePlugin({
        name: 'a',
        config: z.object({}),
        create: () => {
          throw error
        },
      })
    expect(thrownBy(() => throwing(ours)())).toBe(ours)
    const wrapped = thrownBy(() => throwing(new Error(SECRET))())
    expect(wrapped).toMatchObject({ code: 'plugin.invalid', cause: { message: SECRET } })
    expect(wrapped.message).not.toContain(SECRET)
  })

  it.each([
    [{ name: 'a b', config: {}, create: () => ({}) }, 'plugin.invalid'],
    [{ name: 'a', config: { type: 'string' }, create: () => ({}) }, 'plugin.invalid'],
    [{ name: 'a', config: undefined, create: () => ({}) }, 'plugin.invalid'],
    [{ name: 'a', config: { type: 'object' } }, 'plugin.invalid'],
    [{ name: 'a', config: { type: 'object' }, create: () => ({}), tools: [] }, 'options.invalid'],
  ])('is refused when it is defined as %o', (definition, code) => {
    expect(thrownBy(() => definePlugin(definition as never)).code).toBe(code)
  })

  it('refuses a factory that makes nothing', () => {
    const plugin = definePlugin({ name: 'a', config: { type: 'object' }, create: () => undefined as never })
    expect(thrownBy(() => plugin()).code).toBe('plugin.invalid')
  })

  it('keeps its name, whatever the factory says', () => {
    const create = () => ({ name: 'other', version: '9' }) as object
    expect(definePlugin({ name: 'a', version: '1', config: { type: 'object' }, create })()).toEqual({
      name: 'a',
      version: '1',
    })
  })
})
