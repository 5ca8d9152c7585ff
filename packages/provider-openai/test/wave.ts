/** A WAV file of these samples; `length` is what its header says, and `before` stands in front of the samples. */
export function wave(samples: string, { length = samples.length, before = '' } = {}): Buffer {
  const list =
    before === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from('LIST'), size(before.length), padded(before)])
  const format = Buffer.concat([Buffer.from('fmt '), size(16), Buffer.alloc(16)])
  const data = Buffer.concat([Buffer.from('data'), size(length), Buffer.from(samples, 'latin1')])
  const body = Buffer.concat([Buffer.from('WAVE'), format, list, data])
  return Buffer.concat([Buffer.from('RIFF'), size(length === samples.length ? body.length : length), body])
}

function size(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(length)
  return bytes
}

function padded(text: string): Buffer {
  return Buffer.from(text.length % 2 === 1 ? `${text}\0` : text, 'latin1')
}
