// Everything here is public API: a name that is added is a promise.
export type { Channel } from './channel.ts'
export type { ContextOptions, ContextReport } from './context/fit-turns.ts'
export { type ErrorCode, type ErrorDetails, isOrraError, OrraError, type ProviderFailure } from './errors.ts'
export type { NameRule, Policies, Policy } from './gate/policy.ts'
export {
  type Denial,
  deny,
  type Hook,
  type HookEvent,
  type HookEvents,
  type HookPatches,
  type HookPoint,
  type Hooks,
} from './hooks.ts'
export type { JsonObject, JsonValue } from './json.ts'
export type { WhenBusy } from './loop/accept-input.ts'
export type { RunEvent, RunResult } from './loop/event.ts'
export type { LiveEvent } from './loop/live-notice.ts'
export type { RecoverOptions } from './loop/recover.ts'
export type { Instructions, InstructionsContext } from './loop/run-scope.ts'
export {
  type AssistantMessage,
  type ContentPart,
  type FilePart,
  type ImagePart,
  type MediaSource,
  type Message,
  type ProviderData,
  type ReasoningPart,
  type TextPart,
  type ToolCallPart,
  type ToolMessage,
  type ToolResultPart,
  textOf,
  toolCallsOf,
  type UserInput,
  type UserMessage,
} from './message.ts'
export { Namespace } from './namespace.ts'
export { checkOptions, invalidOption, type OptionNames } from './options.ts'
export type {
  ModelCallOptions,
  ModelEvent,
  ModelLimits,
  ModelRequest,
  ModelResponse,
  Provider,
  StopReason,
  ToolSpec,
  Usage,
} from './provider.ts'
export type { ResumeOptions, RunOptions, SubmitOptions } from './run-options.ts'
export { createRuntime, type Runtime } from './runtime.ts'
export type { Infer, Schema, TypedSchema } from './schema.ts'
export type { RuntimeOptions } from './services.ts'
export type { EraseReceipt } from './session/everything-under.ts'
export type { EntriesOptions, ForkOptions, Metadata, Session, SetMetadataOptions } from './session/session.ts'
export type { SessionEvent, WatchOptions } from './session/watch.ts'
export { checkAmount, checkClaims, checkRecordKey, checkVersion, recordValue } from './store/checks.ts'
export { type CounterBook, type CounterChange, type CounterDecision, counterBook } from './store/counter-book.ts'
export {
  type Claim,
  type Counter,
  type Counters,
  type ListCountersOptions,
  type Reservation,
  type ReserveOptions,
  refusedClaim,
  SETTLE_LATE_MS,
} from './store/counters.ts'
export type {
  Entry,
  InputEntry,
  InputWithdrawnEntry,
  LoggedEntry,
  MessageEntry,
  MetadataEntry,
  RunEndedEntry,
  RunEndReason,
  RunSettings,
  RunStartedEntry,
  ToolStartedEntry,
} from './store/entry.ts'
export { localNotices } from './store/local-notices.ts'
export { type MemoryStoreOptions, memoryStore } from './store/memory-store.ts'
export { canNotify, type Notices, type NotifyingStore } from './store/notices.ts'
export { type Page, type PageOptions, pageOf, pagePartsOf, pagePlace, type StoreOptions } from './store/page.ts'
export {
  canSearch,
  type ListRecordsOptions,
  type PutOptions,
  type RecordKey,
  type RecordScope,
  type Records,
  type SearchableRecords,
  type SearchOptions,
  type StoredRecord,
} from './store/records.ts'
export { type AppendPlan, emptyHead, isPending, planAppend, type SessionHead } from './store/session-head.ts'
export type {
  AppendOptions,
  AppendResult,
  ClaimOptions,
  DeleteOptions,
  Lease,
  ListOptions,
  ReadOptions,
  SessionLog,
} from './store/session-log.ts'
export type { Store } from './store/store.ts'
export { rankByWords, textIn, wordsOf } from './store/words.ts'
export {
  defineTool,
  type Reconciled,
  type Tool,
  type ToolContext,
  type ToolDefinition,
  type ToolOutput,
} from './tool.ts'
