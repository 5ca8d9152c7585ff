/** Calls `work` the first time, and not again. */
export function once(work: (() => void) | undefined): () => void {
  let wasCalled = false
  return () => {
    if (wasCalled) return
    wasCalled = true
    work?.()
  }
}
