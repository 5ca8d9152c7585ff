/**
 * Every code orra fails with, and the details that come with it. A package adds its own by merging into this
 * interface: `declare module '@orra/core' { interface ErrorDetails { 'discord.missing-intent': { intent: string } } }`.
 */
export interface ErrorDetails {
  /** A namespace is empty or malformed. */
  'namespace.invalid': { readonly problem: string }
  /** An option of `createRuntime`, `run` or a factory is missing, misspelt or out of range. */
  'options.invalid': { readonly option: string; readonly problem: string }
  /** A message is empty or holds parts that its role cannot hold. */
  'message.invalid': { readonly problem: string }
  /** A tool's definition cannot be used: its name, its schema or its hints. */
  'tool.invalid': { readonly tool: string; readonly problem: string }
  /** Two tools share one name. */
  'tool.duplicate': { readonly tool: string }
  /** A run asks for a tool that the runtime does not have. */
  'tool.unknown': { readonly tool: string; readonly known: readonly string[] }
  /** A policy has an unknown key, a malformed pattern or a value of the wrong kind. */
  'policy.invalid': { readonly pattern: string; readonly problem: string }
  /** The policies cannot be had now, so nothing is accepted. */
  'policy.unreachable': { readonly namespace: string }
  /** A limit is reached; `namespace` says where it is counted. After `retryAfterMs` its window has ended. */
  'limit.reached': { readonly namespace: string; readonly limit: string; readonly retryAfterMs?: number }
  /** Nothing waits for this decision: it was decided, its time is over, or its run has ended. */
  'approval.gone': { readonly namespace: string }
  /** Somebody decides who may not. */
  'approval.forbidden': { readonly namespace: string }
  /** An agent's profile cannot be used, or two have one name. */
  'agent.invalid': { readonly agent: string; readonly problem: string }
  /** There is no agent of this name. */
  'agent.unknown': { readonly agent: string; readonly known: readonly string[] }
  /** A policy, the depth or a circle forbids this sub-agent. */
  'agent.denied': { readonly agent: string; readonly reason: string }
  /** A plugin's definition or its configuration cannot be used, or two plugins have one name. */
  'plugin.invalid': { readonly plugin: string; readonly problem: string }
  /** A plugin needs another one that is not there or not enabled. */
  'plugin.missing': { readonly plugin: string; readonly missing: string }
  /** A plugin could not be started, and those started before it were stopped; or one could not be stopped. */
  'plugin.failed': { readonly plugin: string }
  /** The session was deleted while a message waited in it or was being answered. */
  'session.deleted': { readonly namespace: string }
  /** `whenBusy: 'reject'`: a run is open in the session, or messages wait. */
  'session.busy': { readonly namespace: string }
  /** A session is to be made where there is one already. */
  'session.exists': { readonly namespace: string }
  /** Lines that are to be imported are not those of an exported session. */
  'import.invalid': { readonly line: number; readonly problem: string }
  /** A hook threw. */
  'hook.failed': { readonly point: string; readonly hook: string }
  /** A hook returned something that its point does not take. */
  'hook.invalid-patch': { readonly point: string; readonly problem: string }
  /** The message cannot be sent even alone: it does not fit the model's context window. */
  'context.too-long': { readonly estimatedTokens: number; readonly budgetTokens: number }
  /** A conversation could not be compacted; it stays as it was. */
  'context.not-compacted': { readonly namespace: string; readonly problem: string }
  /** The store cannot be opened or used: wrong path, wrong rights, wrong file, damaged data. */
  'store.unusable': { readonly store: string; readonly problem: string }
  /** The data was written by a newer version of the store. */
  'store.newer-schema': { readonly store: string; readonly found: number; readonly supported: number }
  /** An append carries an old epoch: somebody else has claimed the session since. */
  'store.fenced': { readonly namespace: string }
  /** Something is no longer at the version, or no longer has the values, that a write asks for. */
  'store.conflict': { readonly namespace: string }
  /** A key, a name or an amount that no store takes. */
  'store.invalid': { readonly problem: string }
  /** A message takes an input that no longer waits: somebody took it, or it was withdrawn. */
  'store.input-gone': { readonly namespace: string }
  /** The provider lacks a setting, such as a key. */
  'provider.unconfigured': { readonly provider: string; readonly setting: string }
  /** The provider refuses the key, or the key may not use this model. */
  'provider.auth': ProviderFailure
  /** Too many requests or tokens in a window. */
  'provider.rate-limited': ProviderFailure & { readonly retryAfterMs?: number }
  /** The provider is overloaded or has an internal error. */
  'provider.unavailable': ProviderFailure & { readonly retryAfterMs?: number }
  /** The request is longer than the model's context window. */
  'provider.context-too-long': ProviderFailure
  /** The provider does not know this model. */
  'provider.unknown-model': ProviderFailure
  /** The provider calls the request malformed. */
  'provider.bad-request': ProviderFailure
  /** The connection could not be made or broke, or the stream ended before its end. */
  'provider.connection': ProviderFailure
  /** A model took longer than it may, in this phase; `afterMs` is how long that is. */
  'provider.timeout': {
    readonly provider: string
    readonly phase: 'connect' | 'first-token' | 'between-tokens' | 'total'
    readonly afterMs: number
  }
  /** Policies and limits allow none of the models that the provider could ask. */
  'provider.denied': { readonly provider: string; readonly models: readonly string[] }
  /** The provider's reply breaks the protocol. */
  'provider.bad-reply': ProviderFailure
  /** The answer is not what `output` describes, nor was it when the model was asked once more; `places` are where it is not. */
  'output.invalid': { readonly places: readonly string[] }
  /** The run that answered this message has failed, in another process or before; `code` is that failure's. */
  'run.failed': { readonly runId: string; readonly code: string }
  /** The runtime was closed. */
  'runtime.closed': Record<string, never>
  /** Something threw that orra does not know; the original is the `cause`. */
  unknown: { readonly where: string }
}

/** What is known of a failed model call; never any of its content. */
export interface ProviderFailure {
  readonly provider: string
  readonly status?: number
  readonly requestId?: string
}

export type ErrorCode = keyof ErrorDetails

/** The codes after which the same call, made again later, may well succeed. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'provider.rate-limited',
  'provider.unavailable',
  'provider.connection',
  'provider.timeout',
  'session.busy',
  'policy.unreachable',
  'limit.reached',
])

const MARK = Symbol.for('orra.error')

/**
 * The one error class of orra. `code` says what happened, `details` holds the facts, `message` says what to do.
 * A message never holds prompts, tool input or keys. Recognise it with `isOrraError`, never with `instanceof`:
 * an application may load two copies of this package.
 */
export class OrraError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'OrraError'
  readonly code: Code
  readonly details: ErrorDetails[Code]
  /** The same call, made again later, may succeed. @default by code */
  readonly retryable: boolean

  constructor(
    code: Code,
    message: string,
    options: { readonly details: ErrorDetails[Code]; readonly cause?: unknown; readonly retryable?: boolean },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
    this.retryable = options.retryable ?? RETRYABLE.has(code)
    Object.defineProperty(this, MARK, { value: true })
  }
}

/** Whether `error` is orra's, and of one of `codes` when any are given. */
export function isOrraError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is { [C in Code]: OrraError<C> }[Code] {
  if (typeof error !== 'object' || error === null || !(MARK in error)) return false
  return codes.length === 0 || codes.includes((error as unknown as OrraError<Code>).code)
}

/** `error` itself when it is orra's; anything else as the `cause` of an `unknown` error. Used once, at each edge. */
export function toOrraError(error: unknown, where: string): OrraError {
  if (isOrraError(error)) return error
  return new OrraError('unknown', `Something failed in ${where}; see the cause.`, { details: { where }, cause: error })
}
