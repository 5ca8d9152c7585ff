// Everything here is public API: a name that is added is a promise.
export { delegateToAgent, type SpawnAgentOptions, spawnAgent } from './agents/agent-tools.ts'
export type { Instructions, InstructionsContext } from './agents/instructions.ts'
export { mentionedAgent } from './agents/mentions.ts'
export type { AgentProfile } from './agents/profile.ts'
export {
  agentInstructions,
  type PromptBuilder,
  type PromptOptions,
  type PromptSection,
  promptBuilder,
} from './agents/prompt-builder.ts'
export { answerByTool, type ToolAnswerRequest } from './answer-by-tool.ts'
export type { ApprovalOptions } from './approval/approval-options.ts'
export { type DecideOptions, mayDecide } from './approval/decide.ts'
export type { ApprovalLevel } from './approval-level.ts'
export { type ModelQuota, type ModelQuotaOptions, modelQuota, type QuotaTurn } from './budget/model-quota.ts'
export { type ModelPrice, type PriceTable, priceTable } from './budget/price-table.ts'
export type { PricedCall, Prices } from './budget/prices.ts'
export type { SharedQuotaOptions } from './budget/shared-quota.ts'
export type { ModelUsage, UsageReport, UsageWindow } from './budget/usage.ts'
export type { Channel } from './channel.ts'
export type { ContextReport } from './context/context-report.ts'
export type { ContextOptions } from './context/context-rules.ts'
export type { ClipResults, Compact, ContextStrategy, DropResults, DropTurns } from './context/context-strategy.ts'
export type { RequestCounter, TokenCounter } from './context/token-counter.ts'
export { type AgentSet, type AgentsOptions, createAgents } from './create-agents.ts'
export { createRuntime } from './create-runtime.ts'
export { type ErrorCode, type ErrorDetails, isOrraError, OrraError, type ProviderFailure } from './errors.ts'
export type { Explanation } from './gate/explain.ts'
export type { Counted, HeldLimit, LimitName, Limits, WindowLimitName, WindowUnit } from './gate/limits.ts'
export type { NameRule, Policies, Policy } from './gate/policy.ts'
export {
  type CachedPolicySource,
  type PolicySource,
  type PolicySourceOptions,
  policySource,
} from './gate/policy-source.ts'
export type { Action } from './gate/rules.ts'
export type { BoundMemory, Memory } from './handles/bound-memory.ts'
export type { BoundRecords } from './handles/bound-records.ts'
export type { WaitingApproval } from './hooks/approval-queue.ts'
export { type Approvals, type ApprovalsOptions, type AskApproval, approvals } from './hooks/approvals.ts'
export {
  type Denial,
  deny,
  type Hook,
  type HookEvent,
  type HookEvents,
  type HookPatches,
  type HookPoint,
  type Hooks,
} from './hooks/hooks.ts'
export { type Logger, type LoggingOptions, logging } from './hooks/logging.ts'
export { type WorkingDirectoryOptions, workingDirectory } from './hooks/working-directory.ts'
export type { JsonObject, JsonValue } from './json.ts'
export type { WhenBusy } from './loop/accept-input.ts'
export type { LiveEvent } from './loop/live-notice.ts'
export type { Preview } from './loop/preview.ts'
export type { RecoverOptions } from './loop/recover.ts'
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
export { type ConfigInput, definePlugin, type PluginDefinition } from './plugin/define-plugin.ts'
export type { Plugin, PluginHost } from './plugin/plugin.ts'
export { type ChangeProjectOptions, createProjects, type Projects } from './projects/create-projects.ts'
export type { NewProject, Project, ProjectChange } from './projects/project.ts'
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
export type { RunEvent, RunResult } from './run-event.ts'
export type { PreviewOptions, ResumeOptions, RunOptions, SubmitOptions } from './run-options.ts'
export type { Compacted, Runtime, ServeOptions } from './runtime.ts'
export type { Infer, Schema, TypedSchema } from './schema.ts'
export type { RuntimeOptions } from './services.ts'
export type { EraseReceipt } from './session/everything-under.ts'
export type { EntriesOptions, ForkOptions, Metadata, Session, SetMetadataOptions } from './session/session.ts'
export type { SessionEvent, WatchOptions } from './session/watch.ts'
export type { Spawn, SpawnWork } from './spawn.ts'
export type { ApprovalDecision, ApprovalRequest } from './store/approval-request.ts'
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
  ApprovalDecidedEntry,
  ApprovalRequestedEntry,
  CallWokenEntry,
  CompactionEntry,
  Entry,
  InputEntry,
  InputWithdrawnEntry,
  LoggedEntry,
  MessageEntry,
  MessagePinnedEntry,
  MessageUnpinnedEntry,
  MetadataEntry,
  Pin,
  RunEndedEntry,
  RunEndReason,
  RunSettings,
  RunStartedEntry,
  RunSuspendedEntry,
  SentContext,
  ToolStartedEntry,
} from './store/entry.ts'
export type { Caller, Lineage } from './store/lineage.ts'
export { localNotices } from './store/local-notices.ts'
export { type MemoryStoreOptions, memoryStore } from './store/memory-store.ts'
export { canNotify, type Notices, type NotifyingStore } from './store/notices.ts'
export type { WaitingCall } from './store/open-run.ts'
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
  type ApprovalContext,
  defineTool,
  type Reconciled,
  type Tool,
  type ToolContext,
  type ToolDefinition,
  type ToolOutput,
} from './tool.ts'
export { type CachedOptions, cached } from './wrappers/cached.ts'
export { type DynamicProvider, dynamicProvider } from './wrappers/dynamic-provider.ts'
export { type FallbackOptions, fallback } from './wrappers/fallback.ts'
export { type RetryOptions, retry } from './wrappers/retry.ts'
export type { RetryBudgetOptions } from './wrappers/retry-budget.ts'
export { type TimeoutOptions, timeout } from './wrappers/timeout.ts'
