import { OrraError } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import { globTest } from './glob.ts'

/** Names by glob: `*` stands for any run of characters. */
export interface NameRule {
  /** Only these. @default all */
  readonly allow?: readonly string[]
  /** Never these, whatever `allow` says. @default none */
  readonly deny?: readonly string[]
}

/** What a subtree of namespaces may do. It can only narrow what its ancestors' policies leave. */
export interface Policy {
  readonly tools?: NameRule
  readonly models?: NameRule
}

/**
 * Policies by pattern. A pattern is written like a namespace's key, with `*` for any run of characters within one
 * segment, and holds for the namespaces it matches and all below them: `tenant:*` for every tenant and its users. A
 * literal `*` is written `%2A`. Several may hold for one namespace; then each must allow and none may deny.
 */
export interface Policies {
  readonly [pattern: string]: Policy
}

/** What a policy speaks of, each with its kind of rule. */
type PolicySubject = keyof Policy

const SUBJECTS = ['tools', 'models'] as const satisfies readonly PolicySubject[]

export interface CompiledPolicy {
  readonly pattern: string
  holdsFor(namespace: Namespace): boolean
  /** The rule that denies `name`, in words; `undefined` when nothing here does. */
  denial(subject: PolicySubject, name: string): string | undefined
}

/** Throws `policy.invalid` for the first thing in it that would silently not do what was meant. */
export function compilePolicies(policies: Policies): readonly CompiledPolicy[] {
  if (typeof policies !== 'object' || policies === null || Array.isArray(policies)) {
    throw invalid('', 'policies are one object, from patterns to what they hold for')
  }
  return Object.entries(policies).map(([pattern, policy]) => {
    const segments = compilePattern(pattern)
    const rules = compileRules(pattern, policy)
    return {
      pattern,
      holdsFor: (namespace) =>
        segments.length <= namespace.segments.length &&
        segments.every((matches, index) => matches(namespace.segments[index] as string)),
      denial(subject, name) {
        const rule = rules[subject]
        const denied = rule?.deny.find((glob) => glob.matches(name))
        if (denied) return `${pattern}: ${subject}.deny ${denied.glob}`
        if (rule?.allow && !rule.allow.some((glob) => glob.matches(name))) return `${pattern}: ${subject}.allow`
        return undefined
      },
    }
  })
}

function compilePattern(pattern: string) {
  return pattern.split(':').map((segment) => {
    if (segment === '') throw invalid(pattern, 'the pattern has an empty segment')
    const unknown = segment.match(/%(?!25|3A|2A)/)
    if (unknown) throw invalid(pattern, 'the pattern has a "%" that is not "%25", "%3A" or "%2A"')
    const texts = segment
      .split('*')
      .map((text) => text.replaceAll('%3A', ':').replaceAll('%2A', '\0').replaceAll('%25', '%'))
    // No segment of a namespace holds NUL, so it can carry the literal star past the glob.
    const matches = globTest(texts.join('*'))
    return texts.some((text) => text.includes('\0')) ? (name: string) => matches(name.replaceAll('*', '\0')) : matches
  })
}

interface CompiledGlob {
  readonly glob: string
  readonly matches: (name: string) => boolean
}

interface CompiledRule {
  readonly allow: readonly CompiledGlob[] | undefined
  readonly deny: readonly CompiledGlob[]
}

function compileRules(pattern: string, policy: Policy): Partial<Record<PolicySubject, CompiledRule>> {
  checkKeys(pattern, 'the policy', policy, SUBJECTS)
  const rules: Partial<Record<PolicySubject, CompiledRule>> = {}
  for (const subject of SUBJECTS) {
    const rule = policy[subject]
    if (rule === undefined) continue
    checkKeys(pattern, `"${subject}"`, rule, ['allow', 'deny'])
    rules[subject] = {
      allow: rule.allow && compileGlobs(pattern, `"${subject}.allow"`, rule.allow),
      deny: compileGlobs(pattern, `"${subject}.deny"`, rule.deny ?? []),
    }
  }
  return rules
}

function compileGlobs(pattern: string, place: string, globs: readonly string[]): readonly CompiledGlob[] {
  if (!Array.isArray(globs) || !globs.every((glob) => typeof glob === 'string' && glob !== '')) {
    throw invalid(pattern, `${place} must be a list of names or globs`)
  }
  return globs.map((glob) => ({ glob, matches: globTest(glob) }))
}

function checkKeys(pattern: string, place: string, value: object, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(pattern, `${place} is not an object`)
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw invalid(pattern, `${place} has the unknown key "${unknown}"; known are ${known.join(', ')}`)
}

function invalid(pattern: string, problem: string): OrraError<'policy.invalid'> {
  const message = `The policy for "${pattern}" cannot be used: ${problem}.`
  return new OrraError('policy.invalid', message, { details: { pattern, problem } })
}
