import type { Namespace } from '../namespace.ts'
import { type Answer, askSource, isFailure } from './ask-source.ts'
import type { CompiledPolicy } from './compile-policy.ts'
import type { Policies } from './policy.ts'
import { isPolicySource, type PolicySource } from './policy-source.ts'
import { compilePolicies } from './policy-tree.ts'
import { recentlyUsed } from './recently-used.ts'
import { createRules, type Rules } from './rules.ts'

/**
 * The one place that knows who may do what. Asked whenever something is listed, and again whenever it is done: `at` gives
 * what holds for a namespace now, and is asked anew each time.
 */
export interface Gate {
  /** Never rejects but for the signal's reason: where policies cannot be had, what it gives denies everything. */
  at(namespace: Namespace, signal?: AbortSignal): Rules | Promise<Rules>
}

/** For how many namespaces the rules are kept, for matching patterns takes time. */
const MOST_KEPT = 1_000

/**
 * The gate of several sources: each must allow. Policies that stand still are checked now: throws `policy.invalid`. While
 * all sources answer at once, so does the gate.
 */
export function createGate(sources: readonly (Policies | PolicySource)[]): Gate {
  let asked = 0
  const askers = sources.map((source) => {
    if (!isPolicySource(source)) return compilePolicies(source)
    asked += 1
    const name = `policy source ${asked}`
    return (namespace: Namespace, signal: AbortSignal | undefined) => askSource(source, name, namespace, signal)
  })
  const fixed = askers.filter((asker) => typeof asker !== 'function')
  const kept = recentlyUsed<{ readonly trees: readonly Answer[]; readonly rules: Rules }>(MOST_KEPT)

  function rulesOf(namespace: Namespace, answers: readonly Answer[]): Rules {
    const failure = answers.find(isFailure)
    if (failure) return createRules(namespace, policiesAt(namespace, answers), failure)
    // The same trees as before have the same to say; a source that has others now has another tree.
    const known = kept.get(namespace.key)
    if (known && answers.every((tree, index) => tree === known.trees[index])) return known.rules
    const rules = createRules(namespace, policiesAt(namespace, answers))
    kept.set(namespace.key, { trees: answers, rules })
    return rules
  }

  async function whenAnswered(namespace: Namespace, answers: readonly (Answer | Promise<Answer>)[]): Promise<Rules> {
    return rulesOf(namespace, await Promise.all(answers))
  }

  return {
    at(namespace, signal) {
      if (asked === 0) return rulesOf(namespace, fixed)
      if (signal?.aborted) return Promise.reject(signal.reason)
      const answers = askers.map((asker) => (typeof asker === 'function' ? asker(namespace, signal) : asker))
      return answers.every(isKnown) ? rulesOf(namespace, answers) : whenAnswered(namespace, answers)
    },
  }
}

function isKnown(answer: Answer | Promise<Answer>): answer is Answer {
  return !(answer instanceof Promise)
}

function policiesAt(namespace: Namespace, answers: readonly Answer[]): readonly CompiledPolicy[] {
  return answers.flatMap((answer) => (isFailure(answer) ? [] : answer.at(namespace)))
}
