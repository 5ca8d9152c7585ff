import { type OutputUnit, Validator } from '@cfworker/json-schema'
import { APPROVAL_LEVELS } from '../approval-level.ts'
import { toJson } from '../json.ts'
import { freeze } from '../store/freeze.ts'
import type { LimitName } from './limits.ts'
import { invalidPolicy, type Policy } from './policy.ts'

/** A JSON Schema whose `description` ends the sentence "… must be". */
interface PlaceSchema {
  readonly type: 'object' | 'array' | 'string' | 'number' | 'integer'
  readonly description?: string
  readonly properties?: { readonly [key: string]: PlaceSchema }
  readonly additionalProperties?: false | PlaceSchema
  readonly items?: PlaceSchema
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

const NAMES: PlaceSchema = {
  type: 'array',
  items: { type: 'string', minLength: 1 },
  description: 'a list of names or globs',
}

const NAME_RULE: PlaceSchema = {
  type: 'object',
  properties: { allow: NAMES, deny: NAMES },
  additionalProperties: false,
  description: 'an object that holds "allow" or "deny", or both',
}

const LEVELS = Object.keys(APPROVAL_LEVELS)

const APPROVAL: PlaceSchema = {
  type: 'object',
  additionalProperties: { type: 'string', enum: LEVELS, description: LEVELS.map((level) => `"${level}"`).join(' or ') },
  description: 'an object, from the names or globs of tools to what their calls need',
}

const DOLLARS: PlaceSchema = {
  type: 'number',
  minimum: 0,
  maximum: 1e9,
  description: 'US dollars, from 0 to 1,000,000,000',
}
const AMOUNT: PlaceSchema = {
  type: 'integer',
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'a whole number, 0 or more',
}
const COUNT: PlaceSchema = { ...AMOUNT, minimum: 1, description: 'a whole number above 0' }
/** No timer holds more. */
const DURATION: PlaceSchema = {
  ...COUNT,
  maximum: 2 ** 31 - 1,
  description: 'a whole number of milliseconds, from 1 to about 24 days',
}

const LIMITS: { readonly [Name in LimitName]: PlaceSchema } = {
  runsPerMinute: AMOUNT,
  runsPerHour: AMOUNT,
  runsPerDay: AMOUNT,
  runsPerMonth: AMOUNT,
  tokensPerMinute: AMOUNT,
  tokensPerHour: AMOUNT,
  tokensPerDay: AMOUNT,
  tokensPerMonth: AMOUNT,
  usdPerMinute: DOLLARS,
  usdPerHour: DOLLARS,
  usdPerDay: DOLLARS,
  usdPerMonth: DOLLARS,
  maxTurns: COUNT,
  toolCallsPerRun: AMOUNT,
  concurrentRuns: COUNT,
  runTimeMs: DURATION,
  spawnDepth: AMOUNT,
}

const SUBJECTS: { readonly [Subject in keyof Policy]-?: PlaceSchema } = {
  tools: NAME_RULE,
  models: NAME_RULE,
  agents: NAME_RULE,
  approval: APPROVAL,
  limits: {
    type: 'object',
    properties: LIMITS,
    additionalProperties: false,
    description: 'an object, from the names of limits to numbers',
  },
}

const POLICY: PlaceSchema = {
  type: 'object',
  properties: SUBJECTS,
  additionalProperties: false,
  description: `an object that holds ${Object.keys(SUBJECTS).join(', ')}, or some of them`,
}

const validator = new Validator(POLICY as object, '2020-12')

/**
 * A frozen copy of a policy. Throws `policy.invalid` for the first thing in it that would silently not do what was meant,
 * and says what is known there.
 */
export function checkedPolicy(pattern: string, policy: unknown): Policy {
  const copy = plainCopy(pattern, policy)
  const { valid, errors } = validator.validate(copy)
  if (!valid) throw invalidPolicy(pattern, problemOf(errors))
  return freeze(copy as Policy)
}

/** Whether it is an object of an object literal or of `JSON.parse`; a `Map` would look like one that is empty. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function plainCopy(pattern: string, policy: unknown): unknown {
  try {
    // Infinity and what is no number at all become null here, which no place takes.
    const copy = toJson(policy)
    if (isPlain(policy)) return copy
  } catch {
    // JSON cannot hold it.
  }
  throw invalidPolicy(pattern, 'it must be plain data: objects, lists, text and numbers')
}

/** Of what is known to hold no circle. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return (Array.isArray(value) || isPlainObject(value)) && Object.values(value).every(isPlain)
}

/** Keywords that only say that something further in is wrong. */
const OUTER: ReadonlySet<string> = new Set(['properties', 'additionalProperties', 'items'])

function problemOf(errors: readonly OutputUnit[]): string {
  const unit = errors.find(({ keyword }) => !OUTER.has(keyword))
  const path = (unit?.instanceLocation.split('/').slice(1) ?? []).map(decodeStep)
  const { place, schema, unknown } = placeAt(path)
  if (unknown === undefined) return `${place} must be ${schema.description}`
  return `${place} has the unknown key "${unknown}"; known are ${Object.keys(schema.properties ?? {}).join(', ')}`
}

/** The innermost place on the path that can be spoken of, and the key there that nobody knows. */
function placeAt(path: readonly string[]): { place: string; schema: PlaceSchema; unknown?: string } {
  let schema = POLICY
  for (const [index, step] of path.entries()) {
    const { properties = {}, additionalProperties, items } = schema
    const next = Object.hasOwn(properties, step) ? properties[step] : additionalProperties || items
    const place = nameOf(path.slice(0, index))
    if (next === undefined) return { place, schema, unknown: step }
    if (next.description === undefined) return { place, schema }
    schema = next
  }
  return { place: nameOf(path), schema }
}

function nameOf(path: readonly string[]): string {
  return path.length === 0 ? 'it' : `"${path.join('.')}"`
}

function decodeStep(step: string): string {
  return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
}
