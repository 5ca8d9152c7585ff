import { isOrraError } from './errors.ts'

/** Whether, after `error`, another process is to go on with the run, so that this one must not write how it ended. */
export function mustStayOpen(error: unknown): boolean {
  return isOrraError(error, 'store.fenced', 'store.unusable', 'runtime.closed')
}
