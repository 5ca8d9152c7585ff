import { bundle } from '../../tsup.shared.ts'

export default bundle({
  entry: {
    index: 'src/index.ts',
    'model-server': 'src/model-server.ts',
    'store-process': 'src/store-suite/store-process.ts',
    'crash-process': 'src/crash/crash-process.ts',
  },
})
