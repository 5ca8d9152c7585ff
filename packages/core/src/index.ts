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
} from './log/entry.ts'
export { type MemoryStoreOptions, memoryStore } from './log/memory-store.ts'
export type { EntriesOptions, Session } from './log/session.ts'
export { type AppendPlan, emptyHead, planAppend, type SessionHead } from './log/session-head.ts'
export type {
  AppendOptions,
  AppendResult,
  ClaimOptions,
  DeleteOptions,
  Lease,
  ListOptions,
  Page,
  ReadOptions,
  SessionLog,
  Store,
  StoreOptions,
} from './log/store.ts'
export type { RunEvent, RunResult } from './loop/event.ts'
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
export { createRuntime, type ResumeOptions, type RunOptions, type Runtime, type RuntimeOptions } from './runtime.ts'
export type { Infer, Schema, TypedSchema } from './schema.ts'
export { defineTool, type Tool, type ToolContext, type ToolDefinition, type ToolOutput } from './tool.ts'
