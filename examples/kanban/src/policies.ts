import type { Policies } from '@orra/core'

/** What all of the company may spend on models in a day, in US dollars. */
export const USD_PER_DAY = 5

/** Members may do everything within the company's budget; viewers may look, and ask for advice, now and then. */
export function kanbanPolicies(usdPerDay: number): Policies {
  return {
    company: { limits: { usdPerDay } },
    'company:viewer:*': {
      tools: { allow: ['list_*', 'delegate_to_agent'] },
      limits: { runsPerMinute: 5 },
    },
  }
}
