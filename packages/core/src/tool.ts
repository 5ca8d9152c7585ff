import { APPROVAL_LEVELS, type ApprovalLevel } from './approval-level.ts'
import { OrraError } from './errors.ts'
import type { BoundMemory } from './handles/bound-memory.ts'
import type { BoundRecords } from './handles/bound-records.ts'
import type { JsonObject, JsonValue } from './json.ts'
import type { ContentPart } from './message.ts'
import type { Namespace } from './namespace.ts'
import { checkOptions, type OptionNames } from './options.ts'
import type { ToolSpec } from './provider.ts'
import { type CompiledSchema, compileSchema, type Infer, type Schema } from './schema.ts'
import type { Spawn } from './spawn.ts'

/** What timers can hold; they take anything longer for nothing. */
export const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

/** What a tool is handed beside its input. Everything here is bound to the caller's namespace. */
export interface ToolContext {
  /** Where the call is made: for a sub-agent, its own place below that of its caller. */
  readonly namespace: Namespace
  /** Whom it is for: the namespace itself, or for a sub-agent that of whoever's message all of it is for. Take the user from here. */
  readonly root: Namespace
  readonly runId: string
  /** The idempotency key of this call: the same after a crash and a retry. */
  readonly callId: string
  /** Aborts when the run does, and at the tool's own deadline. */
  readonly signal: AbortSignal
  /** The session's metadata, as this process last read it. */
  readonly metadata: { readonly [name: string]: JsonValue }
  /** Tells whoever watches the run how far the tool has come. */
  progress(message: string): void
  /** Documents of the root. */
  readonly records: BoundRecords
  /** What is remembered of the root. */
  readonly memory: BoundMemory
  /** Has a sub-agent work, below this namespace. */
  readonly spawn: Spawn
}

/** What a function is told that says whether a call needs an approval. */
export interface ApprovalContext {
  readonly namespace: Namespace
  readonly runId: string
  readonly callId: string
  readonly metadata: { readonly [name: string]: JsonValue }
  readonly signal: AbortSignal
}

/** Text, or parts when there are images or files among them. */
export type ToolOutput = string | readonly ContentPart[]

/** How a tool is written; `defineTool` makes a `Tool` of it. The hints are those of the Model Context Protocol. */
export interface ToolDefinition<S extends Schema = JsonObject> {
  /** 1 to 64 letters, digits, `_` and `-`. */
  readonly name: string
  /** For the model: what the tool does and when to use it. */
  readonly description: string
  /** A Standard Schema or a JSON Schema, of an object. @default an object without properties */
  readonly input?: S
  /** It changes nothing; it may run again after a crash. @default false */
  readonly readOnly?: boolean
  /** Done twice with one `callId` it has the effect of once; it may run again after a crash. @default false */
  readonly idempotent?: boolean
  /** What it changes cannot be changed back. @default false */
  readonly destructive?: boolean
  /** Its signal aborts after so many milliseconds and the model is told. @default none */
  readonly timeoutMs?: number
  /**
   * Whether somebody must approve a call before it is done, for all or by its input. A policy can raise it, and nothing can
   * lower it. A function that throws means `always`. @default `always` for a `destructive` tool, else `never`
   */
  readonly approval?:
    | ApprovalLevel
    | ((input: Infer<S>, context: ApprovalContext) => ApprovalLevel | Promise<ApprovalLevel>)
  /** What one call costs, in US dollars; held against budgets before it runs. @default nothing */
  readonly usd?: number
  /** A throw becomes an error result: the model sees the message of what was thrown. */
  execute(input: Infer<S>, context: ToolContext): ToolOutput | Promise<ToolOutput>
  /**
   * Asked when a call was begun and its process died before the end was known: finds out, by the `callId`, what came of it.
   * Returns the result if it took effect, `undefined` if it surely did not: then it is executed. A throw leaves it unknown,
   * and the model is told so. @default unknown; or executed again, if the tool is `idempotent` or `readOnly`
   */
  reconcile?(input: Infer<S>, context: ToolContext): Reconciled | Promise<Reconciled>
}

/** What came of a call whose process died; `undefined` for nothing. */
export type Reconciled = ToolOutput | undefined

/** A tool ready to be given to a runtime. */
export interface Tool {
  readonly name: string
  readonly description: string
  readonly input: Schema
  readonly readOnly: boolean
  readonly idempotent: boolean
  readonly destructive: boolean
  readonly timeoutMs?: number
  readonly approval:
    | ApprovalLevel
    | ((input: unknown, context: ApprovalContext) => ApprovalLevel | Promise<ApprovalLevel>)
  readonly usd?: number
  /** `input` must have passed the tool's schema. */
  execute(input: unknown, context: ToolContext): ToolOutput | Promise<ToolOutput>
  reconcile?(input: unknown, context: ToolContext): Reconciled | Promise<Reconciled>
}

/**
 * A tool whose input type follows from its schema. It is checked when a runtime is made with it.
 *
 * @example
 * const greet = defineTool({
 *   name: 'greet',
 *   description: 'Greets somebody by name.',
 *   input: z.object({ name: z.string() }),
 *   readOnly: true,
 *   execute: ({ name }) => `Hello, ${name}!`,
 * })
 */
export function defineTool<S extends Schema = JsonObject>(definition: ToolDefinition<S>): Tool {
  checkOptions('defineTool', definition, DEFINITION)
  const {
    input = { type: 'object', properties: {} },
    readOnly = false,
    idempotent = false,
    destructive = false,
    approval = destructive ? 'always' : 'never',
  } = definition
  // The one place where the input's type is let go; the runtime gives back only what passed the schema.
  const hints = { readOnly, idempotent, destructive, approval: approval as Tool['approval'] }
  return { ...(definition as ToolDefinition as Omit<Tool, 'input'>), input, ...hints }
}

const DEFINITION: OptionNames<ToolDefinition> = {
  name: true,
  description: true,
  input: true,
  readOnly: true,
  idempotent: true,
  destructive: true,
  timeoutMs: true,
  approval: true,
  usd: true,
  execute: true,
  reconcile: true,
}

/** A tool with its schema compiled. */
export interface ReadyTool extends Tool {
  readonly spec: ToolSpec
  readonly schema: CompiledSchema
}

/** The tools of a runtime by name, in the order given. Throws `tool.invalid` and `tool.duplicate`. */
export function readyTools(tools: readonly Tool[]): ReadonlyMap<string, ReadyTool> {
  const ready = new Map<string, ReadyTool>()
  for (const tool of tools) {
    if (ready.has(tool.name)) {
      const message = `Two tools are named "${tool.name}"; give one of them another name.`
      throw new OrraError('tool.duplicate', message, { details: { tool: tool.name } })
    }
    ready.set(tool.name, readyTool(tool))
  }
  return ready
}

function readyTool(tool: Tool): ReadyTool {
  if (typeof tool !== 'object' || tool === null) throw invalid('', 'it is not a tool; make one with defineTool(…)')
  const { name, description } = tool
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw invalid(String(name), 'its name must be 1 to 64 letters, digits, "_" or "-"')
  }
  if (typeof description !== 'string' || description.trim() === '') throw invalid(name, 'it has no description')
  if (typeof tool.execute !== 'function') throw invalid(name, 'its "execute" is not a function')
  if (tool.timeoutMs !== undefined && !(tool.timeoutMs > 0 && tool.timeoutMs <= LONGEST_TIMEOUT_MS)) {
    throw invalid(name, 'its "timeoutMs" is not above 0, or is longer than a timer can be (about 24 days)')
  }
  if (typeof tool.approval !== 'function' && !Object.hasOwn(APPROVAL_LEVELS, tool.approval)) {
    throw invalid(name, `its "approval" is neither a function nor ${Object.keys(APPROVAL_LEVELS).join(', ')}`)
  }
  if (tool.usd !== undefined && !(Number.isFinite(tool.usd) && tool.usd >= 0)) {
    throw invalid(name, 'its "usd" is not a number of dollars, 0 or more')
  }
  if (tool.reconcile !== undefined && typeof tool.reconcile !== 'function') {
    throw invalid(name, 'its "reconcile" is not a function')
  }
  if (tool.readOnly && tool.destructive) throw invalid(name, 'it cannot be both "readOnly" and "destructive"')
  try {
    const schema = compileSchema(tool.input)
    const bound = {
      execute: tool.execute.bind(tool),
      ...(typeof tool.approval === 'function' ? { approval: tool.approval.bind(tool) } : {}),
      ...(tool.reconcile ? { reconcile: tool.reconcile.bind(tool) } : {}),
    }
    return { ...tool, ...bound, schema, spec: { name, description, inputSchema: schema.json } }
  } catch (error) {
    throw invalid(name, error instanceof Error ? error.message : String(error), error)
  }
}

function invalid(tool: string, problem: string, cause?: unknown): OrraError<'tool.invalid'> {
  return new OrraError('tool.invalid', `The tool "${tool}" cannot be used: ${problem}.`, {
    details: { tool, problem },
    cause,
  })
}

/** Whether something can be done about a call of it when nobody knows how far it came. */
export function canGoOn(tool: Tool): boolean {
  return tool.readOnly || tool.idempotent || tool.reconcile !== undefined
}
