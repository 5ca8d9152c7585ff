import { checkOptions, invalidOption, type OptionNames } from '../options.ts'
import type { ToolSpec } from '../provider.ts'
import type { InstructionsContext } from './instructions.ts'

/** What a system prompt is made of. What an agent's profile says is added to it. */
export interface PromptOptions {
  /** How somebody speaks whose profile does not say. */
  readonly personality?: string
  /** What is to be done, whoever answers; the agent's own instructions follow. */
  readonly instructions?: string
  /** Whether the tools that may be used are named, or that there are none. @default true */
  readonly capabilities?: boolean
  /** By name of a channel: how to write there. The channel is the session's metadata `channel`. */
  readonly channels?: { readonly [name: string]: string }
  /** Whether it names the day, in UTC. Its time is never named, so that a provider's cache holds for the day. @default false */
  readonly date?: boolean
  /** Further sections by title, in this order. A function may leave its section out. */
  readonly sections?: { readonly [title: string]: PromptSection }
  /** The clock. @default the system's */
  readonly now?: () => Date
}

export type PromptSection = string | ((context: InstructionsContext) => string | undefined)

/** Makes system prompts; to be given to a runtime as `instructions`. */
export type PromptBuilder = (context: InstructionsContext) => string

/** The most of a tool's description that is looked at. */
const LONGEST_SUMMARY = 300

const OPTIONS: OptionNames<PromptOptions> = {
  personality: true,
  instructions: true,
  capabilities: true,
  channels: true,
  date: true,
  sections: true,
  now: true,
}

/**
 * Makes a builder of system prompts in Markdown: who it is, what it is to do, what it can do, how to write where it writes,
 * which day it is, and whatever else is given, always in this order and without what is empty. The same options, context
 * and day make the same prompt. Throws `options.invalid`; so does the builder for a section that comes out as no text.
 *
 * @example
 * const instructions = promptBuilder({
 *   personality: 'You are friendly and brief.',
 *   channels: { sms: 'Write no Markdown and at most 300 characters.' },
 *   sections: { Customer: ({ metadata }) => (metadata.vip === true ? 'A very important one.' : undefined) },
 * })
 */
export function promptBuilder(options: PromptOptions = {}): PromptBuilder {
  checkPrompt(options)
  const { personality, instructions, capabilities = true, channels = {}, date = false } = options
  const { sections = {}, now = () => new Date() } = options
  const further = Object.entries(sections)

  return (context) => {
    const { agent, tools, metadata } = context
    const parts = [
      section('Who you are', agent && `You are ${agent.name}.`, agent?.personality ?? personality),
      section('Instructions', instructions, agent?.instructions),
      section('Tools', capabilities ? toolList(tools) : undefined),
      section('Channel', textFor(channels, metadata['channel'])),
      section('Date', date ? today(now()) : undefined),
      ...further.map(([title, text]) => section(title, textOfSection(title, text, context))),
    ]
    return parts.filter((part) => part !== undefined).join('\n\n')
  }
}

/** What agents are told by a runtime that has no instructions of its own: who they are, and what their profile says. */
export const agentInstructions: PromptBuilder = promptBuilder({ capabilities: false })

function section(title: string, ...texts: readonly (string | undefined)[]): string | undefined {
  const told = texts.flatMap((text) => text?.trim() || [])
  return told.length === 0 ? undefined : [`## ${title}`, ...told].join('\n\n')
}

function toolList(tools: readonly ToolSpec[]): string {
  if (tools.length === 0) return 'You have no tools.'
  const lines = tools.map(({ name, description }) => `- ${name}: ${firstSentence(description)}`)
  return ['You can use these tools, and no others:', ...lines].join('\n')
}

/** On one line, so that no description can look like a section. */
function firstSentence(description: string): string {
  const [paragraph = ''] = description
    .trim()
    .slice(0, LONGEST_SUMMARY)
    .split(/\n[^\S\n]*\n/)
  const line = paragraph.replaceAll(/\s+/g, ' ').trim().toWellFormed()
  const end = line.search(/[.!?](?= )|[。！？]/)
  return end === -1 ? line : line.slice(0, end + 1)
}

/** The channel comes from whoever set the metadata, so its name only chooses among the texts, and is never told. */
function textFor(channels: { readonly [name: string]: string }, channel: unknown): string | undefined {
  return typeof channel === 'string' && Object.hasOwn(channels, channel) ? channels[channel] : undefined
}

function today(date: Date): string {
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) throw invalidOption('now', 'it gave no valid Date')
  const weekday = date.toLocaleDateString('en-US', { weekday: 'long', timeZone: 'UTC' })
  return `Today is ${weekday}, ${date.toISOString().slice(0, 10)} (UTC).`
}

function textOfSection(title: string, text: PromptSection, context: InstructionsContext): string | undefined {
  if (typeof text === 'string') return text
  const made: unknown = text(context)
  if (made === undefined || typeof made === 'string') return made
  throw invalidOption(`sections.${title}`, 'its function gave no text; return a string or undefined, not a promise')
}

function checkPrompt(options: PromptOptions): void {
  checkOptions('promptBuilder', options, OPTIONS)
  const { personality, instructions, capabilities, channels, date, sections, now } = options
  for (const [name, value] of Object.entries({ personality, instructions })) {
    if (value !== undefined && typeof value !== 'string') throw invalidOption(name, 'give text')
  }
  for (const [name, value] of Object.entries({ capabilities, date })) {
    if (value !== undefined && typeof value !== 'boolean') throw invalidOption(name, 'give true or false')
  }
  if (now !== undefined && typeof now !== 'function') throw invalidOption('now', 'give a function that returns a Date')
  for (const [name, text] of entriesOf('channels', channels)) {
    if (typeof text !== 'string') throw invalidOption(`channels.${name}`, 'give text')
  }
  for (const [title, text] of entriesOf('sections', sections)) {
    if (!/^\S(?:.*\S)?$/.test(title)) throw invalidOption('sections', 'a title is one line, without space around it')
    if (typeof text === 'string' || typeof text === 'function') continue
    throw invalidOption(`sections.${title}`, 'give text, or a function that makes it')
  }
}

function entriesOf(option: string, value: object | undefined): readonly [string, unknown][] {
  if (value === undefined) return []
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw invalidOption(option, 'give an object, from names to texts')
}
