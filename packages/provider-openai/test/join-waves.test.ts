import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinWaves } from '../src/speech/join-waves.ts'
import { failureOf } from './recorded-fetch.ts'
import { wave } from './wave.ts'

const OPEN = 0xffffffff
const HEADER = 44

async function* inChunks(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function join(files: readonly Buffer[], size = 7): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  const sounds = files.map((file) => inChunks(file, size))
  for await (const chunk of joinWaves(sounds, () => new Error('no wave'))) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('WAV files that follow each other', () => {
  it('are one file of all their samples, however they come', async () => {
    const file = fc.record({
      samples: fc.string({ maxLength: 40 }),
      before: fc.string({ maxLength: 9 }),
      isOpen: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(file, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        async (files, size) => {
          const [first] = files
          const waves = files.map(({ samples, before, isOpen }) => {
            const text = Buffer.from(samples).toString('latin1')
            return wave(text, { before, ...(isOpen ? { length: OPEN } : {}) })
          })
          const joined = await join(waves, size)
          const samples = files.map((file) => file.samples).join('')
          const header = joined.subarray(0, joined.length - Buffer.byteLength(samples))
          expect(joined.subarray(header.length).toString()).toBe(samples)
          const untouched = wave('', { before: first?.before ?? '', length: OPEN })
          expect(header.equals(untouched)).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('lose what stands behind their samples', async () => {
    const file = Buffer.concat([wave('abcd'), Buffer.from('LIST\x04\0\0\0info')])
    const joined = await join([file, file])
    expect(joined.subarray(HEADER).toString()).toBe('abcdabcd')
    expect(joined.readUInt32LE(4)).toBe(OPEN)
    expect(joined.readUInt32LE(HEADER - 4)).toBe(OPEN)
  })

  it.each([
    ['another kind of file', Buffer.from('ID3 this is an mp3 file')],
    ['nothing', Buffer.alloc(0)],
    ['half a header', wave('abcd').subarray(0, 30)],
    ['a header without an end', wave('', { before: 'x'.repeat(70_000) })],
  ])('fail for %s', async (_, file) => {
    expect(await failureOf(join([wave('abcd'), file], 1000))).toMatchObject({ message: 'no wave' })
  })
})
