// Everything here is public API: a name that is added is a promise.
export type { CrashApp, CrashAppOptions } from './crash/crash-app.ts'
export { type CrashOptions, type CrashReport, crashEverywhere } from './crash/crash-everywhere.ts'
export type { CrashPlace } from './crash/crash-place.ts'
export type { CrashProblem, CrashProblemKind } from './crash/crash-problem.ts'
export { type DescribeCrashesOptions, describeCrashes } from './crash/describe-crashes.ts'
export { type DescribeProviderOptions, describeProvider } from './describe-provider.ts'
export { type DescribeStoreOptions, describeStore } from './describe-store.ts'
export type { OpenProvider, ProviderSettings } from './provider-suite/scenario.ts'
export {
  type ScriptedProvider,
  type ScriptedProviderOptions,
  type ScriptedTurn,
  type ScriptStep,
  scriptedProvider,
} from './scripted-provider.ts'
export type { StoreUnderTest } from './store-suite/scenario.ts'
export { chatWire } from './wire/chat-wire.ts'
export { messagesWire } from './wire/messages-wire.ts'
export type {
  ModelWire,
  WireAnswer,
  WireCall,
  WireFailure,
  WireLack,
  WireReply,
  WireToolCall,
  WireTurn,
} from './wire/model-wire.ts'
export { responsesWire } from './wire/responses-wire.ts'
