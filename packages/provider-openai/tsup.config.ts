import { bundle } from '../../tsup.shared.ts'

export default bundle({
  entry: ['src/index.ts', 'src/embeddings.ts', 'src/images.ts', 'src/speech.ts', 'src/tokens.ts'],
})
