import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOrraError } from '../errors.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { Namespace } from '../namespace.ts'
import { type WorkingDirectoryOptions, workingDirectory } from './working-directory.ts'

const taking: JsonObject = { type: 'object', properties: { working_directory: { type: 'string' }, path: {} } }

/** The input as it is left. */
const inputAfter = (
  input: JsonValue,
  metadata: { readonly [name: string]: JsonValue },
  inputSchema: JsonObject = taking,
  options: WorkingDirectoryOptions = {},
) => {
  const { signal } = new AbortController()
  const event = { namespace: Namespace.of('bob'), metadata, runId: 'r', signal, callId: 'c', tool: 't' }
  const patch = workingDirectory(options).beforeToolCall?.({ ...event, input, inputSchema })
  return (patch as { readonly input: JsonValue } | undefined)?.input ?? input
}

describe('workingDirectory', () => {
  it('gives the directory of the session, whatever the model wrote', () => {
    const session = { workingDirectory: '/home/bob' }
    expect(inputAfter({ path: 'a' }, session)).toEqual({ path: 'a', working_directory: '/home/bob' })
    fc.assert(
      fc.property(fc.jsonValue(), (written) => {
        const after = inputAfter({ path: 'a', working_directory: written as JsonValue }, session)
        expect(after).toEqual({ path: 'a', working_directory: '/home/bob' })
      }),
    )
  })

  it('takes away what the model wrote where the session has none', () => {
    for (const metadata of [{}, { workingDirectory: 7 }, { workingDirectory: ['/'] }, { workingDirectory: '' }]) {
      expect(inputAfter({ path: 'a', working_directory: '/etc' }, metadata)).toEqual({ path: 'a' })
    }
    expect(
      inputAfter({ dir: '/etc' }, {}, { properties: { dir: {} } }, { metadata: 'toString', property: 'dir' }),
    ).toEqual({})
  })

  it('gives tools none that take none', () => {
    const session = { workingDirectory: '/home/bob' }
    const input = { working_directory: '/etc' }
    const other = { path: '/etc' }
    for (const schema of [{}, { properties: { path: {} } }, { properties: null }, { additionalProperties: true }]) {
      expect(inputAfter(input, session, schema)).toEqual({})
      expect(inputAfter(other, session, schema)).toBe(other)
    }
    expect(inputAfter({}, session, { properties: {} }, { property: 'constructor' })).toEqual({})
  })

  it('finds the property in a schema put together of several', () => {
    for (const schema of [{ allOf: [{}, taking] }, { anyOf: [taking] }, { oneOf: [{ allOf: [taking] }] }]) {
      expect(inputAfter({ working_directory: '/etc' }, {}, schema)).toEqual({})
    }
  })

  it('goes by other names', () => {
    const schema = { properties: { ['__proto__']: {} } }
    const after = inputAfter({ a: 1 }, { root: '/srv' }, schema, { metadata: 'root', property: '__proto__' })
    expect(Object.entries(after as object)).toEqual([
      ['a', 1],
      ['__proto__', '/srv'],
    ])
  })

  it('leaves alone what is no object', () => {
    for (const input of ['/etc', ['/etc'], null, 7]) expect(inputAfter(input, { workingDirectory: '/' })).toBe(input)
  })

  it.each([{ metadata: '' }, { property: 7 }, { directory: '/' }])('refuses the options %o', (options) => {
    try {
      workingDirectory(options as object)
      expect.unreachable()
    } catch (error) {
      expect(isOrraError(error, 'options.invalid')).toBe(true)
    }
  })
})
