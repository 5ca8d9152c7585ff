import { describeStore } from '@orra/conformance'
import { memoryStore } from './memory-store.ts'

describeStore(
  'memory',
  async () => {
    let time = 1_700_000_000_000
    return {
      store: memoryStore({ now: () => time }),
      advance: (ms) => {
        time += ms
      },
    }
  },
  { durable: false },
)
