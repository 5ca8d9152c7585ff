/**
 * The largest whole number from `least` to `most` that fits, where everything below one that fits does, too; `undefined`
 * when none does. Whatever `fits` is like, it was asked for the number that is returned and said yes.
 */
export function largestFitting(least: number, most: number, fits: (candidate: number) => boolean): number | undefined {
  if (least > most || !fits(least)) return undefined
  let fitting = least
  let tooLarge = most + 1
  while (tooLarge - fitting > 1) {
    const middle = fitting + Math.floor((tooLarge - fitting) / 2)
    if (fits(middle)) fitting = middle
    else tooLarge = middle
  }
  return fitting
}
