import { calibrate } from '../../packages/core/src/context/calibrate.ts'
import { type Count, countOf, errorOf, realTokens } from './count.ts'

/** By what share the totals of one conversation were wrong, call by call. */
export interface Totals {
  readonly plain: readonly number[]
  readonly anchored: readonly number[]
}

/**
 * A conversation that grows piece by piece, with a model call after each. A call tells what all that was sent really had;
 * the next total is what core makes of that count and of what the new pieces are estimated at.
 */
export function converse(pieces: readonly string[]): Totals {
  const plain: number[] = []
  const anchored: number[] = []
  let sent = ''
  let estimated = 0
  let then: Count | undefined
  for (const piece of pieces) {
    sent += piece
    estimated += countOf(piece).estimated
    const real = realTokens(sent)
    if (then) {
      const total = calibrate({ estimatedTokens: then.estimated, realTokens: then.real })(estimated)
      plain.push(Math.abs(errorOf({ real, estimated })))
      anchored.push(Math.abs(errorOf({ real, estimated: total })))
    }
    then = { real, estimated }
  }
  return { plain, anchored }
}
