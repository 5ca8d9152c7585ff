import { describe, expect, it } from 'vitest'

/** Every value that a package exports. Types are held by what compiles against them. */
const EXPORTS = {
  '@orra/core': [
    'Namespace',
    'OrraError',
    'checkOptions',
    'createRuntime',
    'defineTool',
    'deny',
    'emptyHead',
    'invalidOption',
    'isOrraError',
    'memoryStore',
    'planAppend',
    'textOf',
    'toolCallsOf',
  ],
  '@orra/conformance': ['describeStore', 'scriptedProvider'],
  '@orra/provider-anthropic': ['anthropic'],
  '@orra/store-sqlite': ['sqliteStore'],
  '@orra/channel-terminal': ['terminalChannel'],
}

describe('the public API', () => {
  it.each(Object.entries(EXPORTS))('of %s is what it promises', async (name, exports) => {
    expect(Object.keys(await import(name)).sort()).toEqual(exports)
  })
})
