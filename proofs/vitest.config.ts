import { mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'

/** What holds while a store fails, besides what `pnpm crash` and `pnpm storm` show. */
export default mergeConfig(shared, { test: { name: 'proofs', include: ['faults/*.test.ts'] } })
