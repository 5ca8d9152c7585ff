import type { Namespace } from '../namespace.ts'
import { freeze } from '../store/freeze.ts'
import { type CompiledPolicy, compilePolicy } from './compile-policy.ts'
import type { SegmentPattern } from './pattern.ts'
import { invalidPolicy, type Policies } from './policy.ts'
import { isPlainObject } from './policy-schema.ts'

/** Policies made ready, by the segments of their patterns. */
export interface PolicyTree {
  /** Those that hold for a namespace. The work does not grow with the policies of its siblings. */
  at(namespace: Namespace): readonly CompiledPolicy[]
}

/** What `keepMatching` has made, so that nobody compiles it again. It is frozen, so it is still what was compiled. */
const compiled = new WeakMap<object, PolicyTree>()

/** Throws `policy.invalid`. */
export function compilePolicies(policies: Policies): PolicyTree {
  if (!isPlainObject(policies)) {
    throw invalidPolicy(undefined, 'give one plain object, from patterns to what holds for them')
  }
  const policiesOf = () => Object.entries(policies).map(([pattern, policy]) => compilePolicy(pattern, policy))
  return compiled.get(policies) ?? plant(policiesOf())
}

/** A frozen copy of those that hold for a namespace, after all of them were checked. Throws `policy.invalid`. */
export function keepMatching(policies: Policies, namespace: Namespace): Policies {
  const held = compilePolicies(policies).at(namespace)
  const kept = freeze(Object.fromEntries(held.map(({ pattern, policy }) => [pattern, policy])))
  compiled.set(kept, plant(held))
  return kept
}

interface TreeNode {
  readonly literals: Map<string, TreeNode>
  readonly globs: Map<string, { readonly node: TreeNode; matches(segment: string): boolean }>
  readonly policies: CompiledPolicy[]
}

function plant(policies: readonly CompiledPolicy[]): PolicyTree {
  const root = emptyNode()
  for (const policy of policies) policy.segments.reduce(step, root).policies.push(policy)
  return {
    at({ segments }) {
      const found: CompiledPolicy[] = []
      let reached: readonly TreeNode[] = [root]
      for (const segment of segments) {
        reached = reached.flatMap((node) => childrenFor(node, segment))
        for (const { policies } of reached) found.push(...policies)
      }
      return found
    },
  }
}

/** The node below for a segment of a pattern, made where there is none. */
function step(node: TreeNode, segment: SegmentPattern): TreeNode {
  if ('literal' in segment) {
    const next = node.literals.get(segment.literal) ?? emptyNode()
    node.literals.set(segment.literal, next)
    return next
  }
  const known = node.globs.get(segment.glob) ?? { node: emptyNode(), matches: segment.matches }
  node.globs.set(segment.glob, known)
  return known.node
}

function childrenFor(node: TreeNode, segment: string): readonly TreeNode[] {
  const literal = node.literals.get(segment)
  const children = literal ? [literal] : []
  for (const { matches, node: child } of node.globs.values()) if (matches(segment)) children.push(child)
  return children
}

function emptyNode(): TreeNode {
  return { literals: new Map(), globs: new Map(), policies: [] }
}
