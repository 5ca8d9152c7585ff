import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { scriptedProvider } from '@orra/conformance'
import { createRuntime, Namespace, type Plugin } from '@orra/core'
import { expect, it } from 'vitest'
import { root, snippetsOf } from './markdown.ts'

// The plugin of docs/write-a-plugin.md, as it stands there.
it('is a plugin that keeps what its users say apart, and is started and stopped', async () => {
  const folder = await mkdtemp(join(root, 'test', '.scratch-'))
  try {
    const [shown] = (await snippetsOf('docs/write-a-plugin.md')).filter(({ name }) => name === 'a whole plugin')
    const module = join(folder, 'notes.ts')
    await writeFile(module, shown?.code ?? 'throw new Error("It is gone.")')
    const { notes } = (await import(module)) as { notes: (config: { file: string }) => Plugin }
    const [bob, alice] = [Namespace.of('user', 'bob'), Namespace.of('user', 'alice')]
    const recall = { toolCalls: [{ name: 'notes_recall', input: { words: 'tea' } }] }
    const input = { title: 'tea', text: 'Bob likes green tea', remember: true }
    const provider = scriptedProvider([
      ...[{ toolCalls: [{ name: 'notes_write', input }] }, 'Written.'],
      ...[recall, 'None.', recall, 'Green.'],
    ])
    const file = join(folder, 'usage.jsonl')
    const orra = createRuntime({ provider, plugins: [notes({ file })] })
    await orra.run(bob, 'Remember that I like green tea.')
    await orra.run(alice, 'What does Bob like?')
    expect(JSON.stringify(provider.requests[3])).not.toContain('green')
    await orra.run(bob, 'What do I like?')
    expect(JSON.stringify(provider.requests[5])).toContain('Bob likes green tea')
    await orra.close()
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(3)
  } finally {
    await rm(folder, { recursive: true })
  }
})
