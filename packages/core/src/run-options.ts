import { randomUUID } from 'node:crypto'
import { unknownAgent } from './agents/ready-agents.ts'
import { requestTokens } from './context/measure.ts'
import { OrraError } from './errors.ts'
import type { WhenBusy } from './loop/accept-input.ts'
import type { RecoverOptions } from './loop/recover.ts'
import type { Services } from './loop/run-scope.ts'
import { toUserMessage, type UserInput, type UserMessage } from './message.ts'
import { requireNamespace } from './namespace.ts'
import { checkOptions, checkSignal, invalidOption, type OptionNames } from './options.ts'
import { readyOutput } from './output.ts'
import type { RunEvent } from './run-event.ts'
import type { CompiledSchema, Schema } from './schema.ts'
import { isKey } from './store/checks.ts'
import type { InputEntry, RunSettings } from './store/entry.ts'
import type { StoreOptions } from './store/page.ts'
import { LONGEST_TIMEOUT_MS } from './tool.ts'

export interface SubmitOptions<Output extends Schema = Schema> extends Omit<RunSettings, 'instructions' | 'output'> {
  /**
   * What the answer is to be: an object, described by a Standard Schema or a JSON Schema. An answer that its JSON Schema refuses
   * is asked for once more; after that, and for what only a schema of yours knows, `run` throws `output.invalid`. @default any text
   */
  readonly output?: Output
  /**
   * Names the message: a session accepts a key once, ever, and the first message with it counts. @default a new one, so
   * that the same message sent twice is two
   */
  readonly key?: string
  /** What becomes of it when a run is open in the session, or messages wait. @default queue */
  readonly whenBusy?: WhenBusy
  /** Keeps it from being accepted. */
  readonly signal?: AbortSignal | undefined
}

export interface RunOptions<Output extends Schema = Schema> extends SubmitOptions<Output> {
  /**
   * Stops the run, or keeps it from beginning; the log stays valid and the result's reason is `aborted`. While others wait
   * for the same run, or it was accepted from somebody else, it goes on without this caller.
   */
  readonly signal?: AbortSignal | undefined
}

export interface ResumeOptions {
  readonly signal?: AbortSignal | undefined
  /** Told of every run that is gone on with. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

export interface PreviewOptions extends StoreOptions {
  /** @default none: what is in the log */
  readonly input?: UserInput
  /** @default the provider's own */
  readonly model?: string
  readonly agent?: string
  readonly output?: Schema
}

const RUN_OPTIONS: OptionNames<RunOptions> = {
  signal: true,
  model: true,
  maxTurns: true,
  tools: true,
  agent: true,
  output: true,
  key: true,
  whenBusy: true,
}
const WHEN_BUSY: { readonly [When in WhenBusy]: true } = { queue: true, reject: true, interrupt: true, steer: true }
const RESUME_OPTIONS: OptionNames<ResumeOptions> = { signal: true, onEvent: true }
const PREVIEW_OPTIONS: OptionNames<PreviewOptions> = {
  signal: true,
  input: true,
  model: true,
  agent: true,
  output: true,
}
const RECOVER_OPTIONS: OptionNames<RecoverOptions> = {
  signal: true,
  within: true,
  maxParallel: true,
  pollMs: true,
  untilIdle: true,
  onError: true,
}

/** A message as it is to be accepted. */
export interface Acceptable {
  readonly entry: InputEntry
  readonly whenBusy: WhenBusy
  readonly signal: AbortSignal | undefined
  /** What its answer is to be. */
  readonly answer: CompiledSchema | undefined
}

/** Finds everything that can be wrong with a message before it is accepted. */
export function toAcceptable(services: Services, taker: string, input: UserInput, options: SubmitOptions): Acceptable {
  const message = toUserMessage(input)
  checkOptions(taker, options, RUN_OPTIONS)
  const { signal, key = randomUUID(), whenBusy = 'queue', output, ...plain } = options
  checkSignal(signal)
  checkKey(key)
  if (!Object.hasOwn(WHEN_BUSY, whenBusy)) throw invalidOption('whenBusy', `give ${Object.keys(WHEN_BUSY).join(', ')}`)
  const { answer, settings } = withOutput(plain, output)
  checkSettings(settings, services)
  checkFits(message, settings, services)
  const given = Object.keys(settings).length > 0 ? { settings } : {}
  const asked = whenBusy === 'steer' || whenBusy === 'interrupt' ? { whenBusy } : {}
  return { entry: { type: 'input', key, message, ...given, ...asked }, whenBusy, signal, answer }
}

export function checkPreview(services: Services, options: PreviewOptions) {
  checkOptions('preview', options, PREVIEW_OPTIONS)
  const { input, signal, output, ...plain } = options
  checkSignal(signal)
  const { settings } = withOutput(plain, output)
  checkSettings(settings, services)
  return { input, settings, signal }
}

/** The settings as they are kept: of a schema, what any process can read. */
function withOutput(plain: RunSettings, output: Schema | undefined) {
  const answer = output === undefined ? undefined : readyOutput(output)
  return { answer, settings: answer ? { ...plain, output: answer.json } : plain }
}

export function checkResume(options: ResumeOptions): void {
  checkOptions('resume', options, RESUME_OPTIONS)
  checkSignal(options.signal)
}

export function checkRecover(options: RecoverOptions): void {
  checkOptions('recover', options, RECOVER_OPTIONS)
  const { signal, within, maxParallel = 1, pollMs = 1, untilIdle = false, onError } = options
  checkSignal(signal)
  if (within !== undefined) requireNamespace(within)
  if (!(Number.isInteger(maxParallel) && maxParallel > 0)) {
    throw invalidOption('maxParallel', 'give a whole number above 0')
  }
  if (!(pollMs > 0 && pollMs <= LONGEST_TIMEOUT_MS)) throw invalidOption('pollMs', 'give milliseconds above 0')
  if (onError !== undefined && typeof onError !== 'function') throw invalidOption('onError', 'give a function')
  if (typeof untilIdle !== 'boolean') throw invalidOption('untilIdle', 'give true or false')
}

function checkKey(key: string): void {
  if (!isKey(key)) throw invalidOption('key', 'give text of 1 to 256 characters, without NUL')
}

function checkSettings({ model, maxTurns, tools, agent }: RunSettings, services: Services): void {
  if (agent !== undefined && !services.agents.has(agent)) throw unknownAgent(agent, [...services.agents.keys()])
  if (model !== undefined && (typeof model !== 'string' || model === '')) {
    throw invalidOption('model', 'give the name of a model')
  }
  if (maxTurns !== undefined && !(Number.isInteger(maxTurns) && maxTurns > 0)) {
    throw invalidOption('maxTurns', 'give a whole number above 0')
  }
  if (tools !== undefined && !Array.isArray(tools)) throw invalidOption('tools', 'give a list of tool names')
  const missing = tools?.find((name) => !services.tools.has(name))
  if (missing === undefined) return
  const known = [...services.tools.keys()]
  const message = `This runtime has no tool named "${missing}"; it has ${known.length === 0 ? 'none' : known.join(', ')}.`
  throw new OrraError('tool.unknown', message, { details: { tool: missing, known } })
}

/** What could never be sent must not be accepted. */
function checkFits(message: UserMessage, { model, tools, agent, output }: RunSettings, services: Services): void {
  const { context, instructions, provider, agents } = services
  const asked = model ?? (agent === undefined ? undefined : agents.get(agent)?.model) ?? provider.model
  const offered = [...services.tools.values()].filter(({ name }) => tools?.includes(name) ?? true)
  const system = typeof instructions === 'string' ? { instructions } : {}
  const described = output ? { outputSchema: output } : {}
  const request = { model: asked, messages: [message], tools: offered.map(({ spec }) => spec), ...system, ...described }
  const estimatedTokens = requestTokens(context.measure, request)
  const { budgetTokens } = context.budgetOf(asked)
  if (estimatedTokens <= budgetTokens) return
  const text = `This message has, with instructions and tools, about ${estimatedTokens} tokens and ${budgetTokens} fit; send it in parts or as a shorter one.`
  throw new OrraError('context.too-long', text, { details: { estimatedTokens, budgetTokens } })
}
