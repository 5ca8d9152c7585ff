import { describe, expect, it } from 'vitest'
import { type CrashOptions, crashEverywhere } from './crash-everywhere.ts'

export interface DescribeCrashesOptions extends CrashOptions {
  /** How long all crashes together may take, in milliseconds. @default 600,000 */
  readonly timeoutMs?: number
}

/**
 * An application, killed at everything that it does, as a test: nothing is lost, no tool with effects runs twice for a call,
 * logs and requests stay legal, nothing is stuck, the conversation is the one without a crash or says what is unknown, and
 * every process would send the same of it.
 *
 * @example
 * describeCrashes('my application', {
 *   module: new URL('./crash-app.ts', import.meta.url),
 *   place: async () => {
 *     const place = await mkdtemp(join(tmpdir(), 'crash-'))
 *     return { place, dispose: () => rm(place, { recursive: true }) }
 *   },
 * })
 */
export function describeCrashes(name: string, { timeoutMs = 600_000, ...options }: DescribeCrashesOptions): void {
  describe(`${name}, killed at every step`, () => {
    it('loses nothing, does nothing twice and leaves nothing undone', { timeout: timeoutMs }, async () => {
      const wrong: string[] = []
      let crashes = 0
      for await (const { point, step, again, reached, problems } of crashEverywhere(options)) {
        const where = again === undefined ? `${point}, ${step}` : `${point}, ${step}, and again at step ${again}`
        wrong.push(...problems.map(({ kind, problem }) => `${kind} at ${where}: ${problem}`))
        if (reached) crashes += 1
      }
      expect(wrong).toEqual([])
      expect(crashes).toBeGreaterThan(0)
    })
  })
}
