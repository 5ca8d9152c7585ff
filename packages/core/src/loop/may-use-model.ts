import type { Granted } from '../budget/reserved.ts'
import { isOrraError, OrraError } from '../errors.ts'
import type { Rules } from '../gate/rules.ts'
import type { ModelCallOptions } from '../provider.ts'

/** What a provider asks that chooses among several, for one call. */
export interface ModelDesk {
  readonly mayUse: NonNullable<ModelCallOptions['mayUse']>
  /** An error of the provider, which also says why models were not to be asked. What no model was kept from stays as it is. */
  explained(error: unknown): unknown
}

/** Allows what policies allow, and what costs no more than what is reserved for the call. */
export function openModelDesk(rules: Rules, { against }: Pick<Granted, 'against'>): ModelDesk {
  const reasons = new Set<string>()
  return {
    mayUse(model, provider) {
      const decision = rules.decide({ type: 'model', name: model })
      const reason = decision.allowed ? against({ model, provider }) : decision.reason
      if (reason !== undefined) reasons.add(reason)
      return reason === undefined
    },

    explained(error) {
      if (reasons.size === 0 || !isOrraError(error) || !error.code.startsWith('provider.')) return error
      const { code, message, details, retryable } = error
      return new OrraError(code, [message, ...reasons].join(' '), { details, retryable, cause: error })
    },
  }
}
