import { bundle } from '../../tsup.shared.ts'

export default bundle({ entry: ['src/index.ts', 'src/tokens.ts'] })
