import { systemCode } from './file-error.ts'

const MOST_ATTEMPTS = 20

/** Runs `work` again when a folder that it writes in was removed meanwhile: nothing was written, and it looks anew. */
export async function retryWhenMoved<T>(work: () => T | Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || attempt === MOST_ATTEMPTS) throw error
    }
  }
}
