// Everything here is public API: a name that is added is a promise.
export { type DescribeStoreOptions, describeStore } from './describe-store.ts'
export {
  type ScriptedProvider,
  type ScriptedProviderOptions,
  type ScriptedTurn,
  type ScriptStep,
  scriptedProvider,
} from './scripted-provider.ts'
export type { StoreUnderTest } from './store-suite/scenario.ts'
