import { OrraError } from './errors.ts'

const MARK = Symbol.for('orra.namespace')

/** The longest key, in UTF-16 code units; every store must take keys of this length. */
export const MAX_KEY_LENGTH = 1024

/**
 * Whose data this is: a path of segments such as `tenant`, `acme`, `user`, `bob`. An immutable value; the key of a
 * session and the subtree that a caller may reach. Two namespaces are equal when their keys are.
 *
 * @example
 * const bob = Namespace.of('tenant', 'acme', 'user', 'bob')
 * bob.key                                     // 'tenant:acme:user:bob'
 * Namespace.parse(bob.key).segments           // ['tenant', 'acme', 'user', 'bob']
 */
export class Namespace {
  readonly segments: readonly string[]
  /** The segments joined by `:`, with `%` and `:` inside a segment written `%25` and `%3A`. One namespace, one key. */
  readonly key: string

  get [MARK](): true {
    return true
  }

  private constructor(segments: readonly string[], key: string) {
    this.segments = segments
    this.key = key
    Object.freeze(this)
  }

  /** The namespace of these segments, outermost first. Throws `namespace.invalid`. */
  static of(...segments: readonly [string, ...string[]]): Namespace {
    if (segments.length === 0) throw invalid('it has no segments; give at least one, outermost first')
    for (const segment of segments) checkSegment(segment)
    return new Namespace(Object.freeze([...segments]), joinKey(segments))
  }

  /** The exact inverse of `key`. Throws `namespace.invalid` for any text that is not the key of a namespace. */
  static parse(key: string): Namespace {
    if (typeof key !== 'string' || key === '') throw invalid('the key is empty')
    const segments = key.split(':').map(unescapeSegment)
    for (const segment of segments) checkSegment(segment)
    if (joinKey(segments) !== key) throw invalid('the key is not in its one spelling: escape only "%" and ":"')
    return new Namespace(Object.freeze(segments), key)
  }

  /** This namespace with further segments at its end. Throws `namespace.invalid`. */
  child(...segments: readonly [string, ...string[]]): Namespace {
    return Namespace.of(...(this.segments as [string]), ...segments)
  }

  /** The namespace without its last segment; `undefined` for one of a single segment. */
  get parent(): Namespace | undefined {
    if (this.segments.length === 1) return undefined
    return Namespace.of(...(this.segments.slice(0, -1) as [string]))
  }

  /** The pattern that matches this namespace and no other, for policies: its key with `*` written `%2A`. */
  get pattern(): string {
    return this.key.replaceAll('*', '%2A')
  }

  /** From the outermost to this one itself. */
  ancestors(): readonly Namespace[] {
    return this.segments.map((_, index) => Namespace.of(...(this.segments.slice(0, index + 1) as [string])))
  }

  /** Whether `other` is this namespace or lies below it. Segments are compared whole: `a:b` does not contain `a:bc`. */
  contains(other: Namespace): boolean {
    return other.key === this.key || other.key.startsWith(`${this.key}:`)
  }

  toString(): string {
    return this.key
  }

  toJSON(): string {
    return this.key
  }
}

/** `value` when it is a namespace of any copy of this package; throws `namespace.invalid` otherwise. */
export function requireNamespace(value: unknown): Namespace {
  if (typeof value === 'object' && value !== null && MARK in value) return value as Namespace
  throw invalid('it is not a Namespace; make one with Namespace.of(…) or Namespace.parse(key)')
}

function joinKey(segments: readonly string[]): string {
  const key = segments.map((segment) => segment.replaceAll('%', '%25').replaceAll(':', '%3A')).join(':')
  if (key.length > MAX_KEY_LENGTH) throw invalid(`its key is longer than ${MAX_KEY_LENGTH} characters`)
  return key
}

function unescapeSegment(text: string): string {
  return text.replaceAll('%3A', ':').replaceAll('%25', '%')
}

function checkSegment(segment: unknown): void {
  if (typeof segment !== 'string') throw invalid('a segment is not a string')
  if (segment === '') throw invalid('a segment is empty; use an id that is never empty')
  if (!segment.isWellFormed()) throw invalid('a segment holds half of a surrogate pair')
  if (segment.includes('\0')) throw invalid('a segment holds a NUL character')
}

function invalid(problem: string): OrraError<'namespace.invalid'> {
  return new OrraError('namespace.invalid', `This namespace cannot be used: ${problem}.`, { details: { problem } })
}
