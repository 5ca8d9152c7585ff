import { mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'

/** What holds for the repository as a whole. */
export default mergeConfig(shared, { test: { name: 'repository', include: ['*.test.ts'] } })
