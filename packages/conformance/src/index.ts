// Everything here is public API: a name that is added is a promise.
export type { CrashApp, CrashAppOptions } from './crash/crash-app.ts'
export { type CrashOptions, type CrashReport, crashEverywhere } from './crash/crash-everywhere.ts'
export type { CrashPlace } from './crash/crash-place.ts'
export type { CrashProblem, CrashProblemKind } from './crash/crash-problem.ts'
export { type DescribeCrashesOptions, describeCrashes } from './crash/describe-crashes.ts'
export { type DescribeStoreOptions, describeStore } from './describe-store.ts'
export {
  type ScriptedProvider,
  type ScriptedProviderOptions,
  type ScriptedTurn,
  type ScriptStep,
  scriptedProvider,
} from './scripted-provider.ts'
export type { StoreUnderTest } from './store-suite/scenario.ts'
