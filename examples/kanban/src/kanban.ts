import { createRuntime, delegateToAgent, type Provider, promptBuilder, type Runtime, type Store } from '@orra/core'
import type { Board } from './board.ts'
import { PLANNER } from './planner.ts'
import { kanbanPolicies, USD_PER_DAY } from './policies.ts'
import { kanbanPrices } from './prices.ts'
import { boardTools } from './tools.ts'

export interface KanbanOptions {
  readonly board: Board
  readonly store: Store
  readonly provider: Provider
  /** @default 5 */
  readonly usdPerDay?: number
}

/** The whole assistant: the board's operations, who may do what for how much, and models to talk to. */
export function createKanban({ board, store, provider, usdPerDay = USD_PER_DAY }: KanbanOptions): Runtime {
  return createRuntime({
    provider,
    store,
    tools: [...boardTools(board), delegateToAgent([PLANNER])],
    agents: [PLANNER],
    policies: kanbanPolicies(usdPerDay),
    prices: kanbanPrices(),
    // Whoever is to approve something may take days, and the program may end meanwhile.
    approvals: { suspend: true },
    // Whoever restarts a killed program should not wait long for what it left open.
    leaseTtlMs: 3000,
    instructions: promptBuilder({
      instructions:
        'You help the people of a company with its project board. Use the tools to look at it and to change it; ' +
        'never guess what is on it. Refer to tasks by their number and title. Be brief. Say so when a tool refuses something.',
      capabilities: false,
      sections: {
        'Who speaks': ({ namespace: { segments } }) =>
          `You speak with ${segments[2]}, a ${segments[1]} of the company.`,
      },
    }),
  })
}
