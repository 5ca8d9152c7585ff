import { describe, expect, it } from 'vitest'

/** Every value that a package exports. Types are held by what compiles against them. */
const EXPORTS = {
  '@orra/core': [
    'Namespace',
    'OrraError',
    'SETTLE_LATE_MS',
    'canNotify',
    'canSearch',
    'checkAmount',
    'checkClaims',
    'checkOptions',
    'checkRecordKey',
    'checkVersion',
    'counterBook',
    'createRuntime',
    'defineTool',
    'deny',
    'emptyHead',
    'invalidOption',
    'isOrraError',
    'isPending',
    'localNotices',
    'memoryStore',
    'pageOf',
    'pagePartsOf',
    'pagePlace',
    'planAppend',
    'rankByWords',
    'recordValue',
    'refusedClaim',
    'textIn',
    'textOf',
    'toolCallsOf',
    'wordsOf',
  ],
  '@orra/conformance': ['crashEverywhere', 'describeCrashes', 'describeStore', 'scriptedProvider'],
  '@orra/provider-anthropic': ['anthropic'],
  '@orra/store-file': ['fileStore'],
  '@orra/store-postgres': ['postgresStore'],
  '@orra/store-redis': ['redisStore'],
  '@orra/store-sqlite': ['sqliteStore'],
  '@orra/channel-terminal': ['terminalChannel'],
}

describe('the public API', () => {
  it.each(Object.entries(EXPORTS))('of %s is what it promises', async (name, exports) => {
    expect(Object.keys(await import(name)).sort()).toEqual(exports)
  })
})
