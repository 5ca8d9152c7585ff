import type { WindowUnit } from '../gate/limits.ts'

/** One minute, hour, day or month of the calendar, in UTC. */
export interface CalendarWindow {
  /** `2026-11-23T04:26`, `2026-11-23T04`, `2026-11-23` or `2026-11`. No two windows share one. */
  readonly name: string
  /** The first moment after it, in milliseconds since 1970. */
  readonly endsAt: number
}

/** How long after its end a window is still kept, in milliseconds: clocks differ. */
export const WINDOW_SLACK_MS = 60_000

const LENGTH_MS = { Minute: 60_000, Hour: 3_600_000, Day: 86_400_000 } as const

/** How much of an ISO time is not the name: its end, since a year may have more than four digits. */
const REST = { Minute: ':00.000Z', Hour: ':00:00.000Z', Day: 'T00:00:00.000Z', Month: '-01T00:00:00.000Z' } as const

/** The window of this unit that a moment lies in; `time` is in milliseconds since 1970. */
export function windowAt(unit: WindowUnit, time: number): CalendarWindow {
  const name = new Date(time).toISOString().slice(0, -REST[unit].length)
  return { name, endsAt: unit === 'Month' ? nextMonth(time) : nextMultiple(time, LENGTH_MS[unit]) }
}

function nextMultiple(time: number, lengthMs: number): number {
  return (Math.floor(time / lengthMs) + 1) * lengthMs
}

function nextMonth(time: number): number {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
}
