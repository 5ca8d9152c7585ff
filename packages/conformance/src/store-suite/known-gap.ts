import type { Test } from './scenario.ts'

/** Passes when `test` fails, as a known gap should. What is skipped stays so. */
export function failing(place: string, test: Test): Test {
  return async (tested) => {
    let isSkipped = false
    const skip = (reason: string): never => {
      isSkipped = true
      return tested.skip(reason)
    }
    const hasPassed = await test({ ...tested, skip }).then(
      () => true,
      (error) => {
        if (isSkipped) throw error
        return false
      },
    )
    if (hasPassed) throw new Error(`"${place}" passes: it is no gap any more. Take it out of "gaps".`)
  }
}

/** The gaps that name no scenario. */
export function gapsOfNothing(gaps: object, places: readonly string[]): readonly string[] {
  return Object.keys(gaps).filter((place) => !places.includes(place))
}
