/** What a scenario of any suite gets, among other things. */
export interface Skippable {
  /** Ends the scenario: it asks for what is not there. */
  readonly skip: (reason: string) => never
}

/** Passes when `test` fails, as a known gap should. What is skipped stays so. */
export function failing<Tested extends Skippable>(
  place: string,
  test: (tested: Tested) => Promise<void>,
): (tested: Tested) => Promise<void> {
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
