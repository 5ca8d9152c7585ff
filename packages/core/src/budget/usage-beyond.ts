import type { Usage } from '../provider.ts'
import type { ModelDay, ToolDay } from './usage-day-shape.ts'

/** What was used of each model beyond what was counted before; without those of which that is nothing. */
export function modelsBeyond(models: readonly ModelDay[], before: readonly ModelDay[]): readonly ModelDay[] {
  return models.flatMap((now) => {
    const counted = before.find(({ model }) => model === now.model)
    if (!counted) return now
    const more: ModelDay = {
      model: now.model,
      calls: beyond(now.calls, counted.calls),
      usage: usageBeyond(now.usage, counted.usage),
      microUsd: beyond(now.microUsd, counted.microUsd),
      unpricedCalls: beyond(now.unpricedCalls, counted.unpricedCalls),
      cutOffCalls: beyond(now.cutOffCalls, counted.cutOffCalls),
    }
    return more.calls > 0 ? more : []
  })
}

/** How often each tool was called beyond what was counted before. */
export function toolsBeyond(tools: readonly ToolDay[], before: readonly ToolDay[]): readonly ToolDay[] {
  return tools.flatMap(({ tool, calls }) => {
    const more = beyond(calls, before.find((counted) => counted.tool === tool)?.calls ?? 0)
    return more > 0 ? { tool, calls: more } : []
  })
}

function usageBeyond(now: Usage, counted: Usage): Usage {
  return {
    inputTokens: beyond(now.inputTokens, counted.inputTokens),
    outputTokens: beyond(now.outputTokens, counted.outputTokens),
    cacheReadTokens: beyond(now.cacheReadTokens, counted.cacheReadTokens),
    cacheWriteTokens: beyond(now.cacheWriteTokens, counted.cacheWriteTokens),
  }
}

function beyond(now: number, counted: number): number {
  return Math.max(0, now - counted)
}
