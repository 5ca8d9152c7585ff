import { bundle } from '../../tsup.shared.ts'

export default bundle({ entry: ['src/main.ts'] })
