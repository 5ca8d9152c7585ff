import { defineConfig } from 'vitest/config'

/** What every package's tests run with: the sources of all packages, no output of their own, two processes. */
export default defineConfig({
  resolve: { conditions: ['@orra/source'] },
  ssr: { resolve: { conditions: ['@orra/source'], externalConditions: ['@orra/source'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: [`${import.meta.dirname}/vitest.setup.ts`],
    testTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
