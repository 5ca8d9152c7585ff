import type { StopReason } from '@orra/core'

/** Why a reply ended, by what it says and by what is in it; `undefined` when the server gave up. */
export function toStopReason(reason: string, hasCalls: boolean, refuses: boolean): StopReason | undefined {
  switch (reason.toLowerCase()) {
    case 'length':
    case 'max_tokens':
    case 'model_length':
      return 'length'
    case 'content_filter':
    case 'safety':
    case 'refusal':
      return 'refused'
    case 'error':
    case 'abort':
      return undefined
    default:
      // Many say `stop` though there are calls, and some say `tool_calls` though there are none.
      if (hasCalls) return 'tool-calls'
      return refuses ? 'refused' : 'stop'
  }
}
