import { mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'

/** What holds while a store fails, besides what `pnpm crash` and `pnpm storm` show; how good the estimate of tokens is. */
export default mergeConfig(shared, { test: { name: 'proofs', include: ['faults/*.test.ts', 'tokens/*.test.ts'] } })
