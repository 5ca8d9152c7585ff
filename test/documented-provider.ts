import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelWire } from '@orra/conformance'
import type { Provider } from '@orra/core'
import { root, snippetsOf } from './markdown.ts'

export interface DocumentedProvider {
  readonly ollama: (options: { readonly model: string; readonly fetch: typeof fetch }) => Provider
  readonly ollamaWire: ModelWire
}

/** The provider of docs/write-a-provider.md and its wire, as they stand there. */
export async function documentedProvider(): Promise<DocumentedProvider> {
  const folder = await mkdtemp(join(root, 'test', '.scratch-'))
  const snippets = await snippetsOf('docs/write-a-provider.md')
  const moduleOf = async (name: string): Promise<object> => {
    const shown = snippets.find((snippet) => snippet.name === name)
    const path = join(folder, `${name.replaceAll(' ', '-')}.ts`)
    await writeFile(path, shown?.code ?? 'throw new Error("It is gone.")')
    return import(path)
  }
  try {
    return { ...(await moduleOf('a whole provider')), ...(await moduleOf('its wire')) } as DocumentedProvider
  } finally {
    await rm(folder, { recursive: true })
  }
}
