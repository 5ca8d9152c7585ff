import { execFile } from 'node:child_process'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LLMock } from '@copilotkit/aimock'
import { describe, expect, it } from 'vitest'
import { markdownFiles, root, snippetsOf } from './markdown.ts'

const run = promisify(execFile)

/** A folder inside the repository, so that what is written there finds the packages. */
async function scratch() {
  const folder = await mkdtemp(join(root, 'test', '.scratch-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

describe('the documents', () => {
  it('hold only snippets that compile', async () => {
    await using place = await scratch()
    const snippets = (await Promise.all((await markdownFiles()).map(snippetsOf))).flat()
    expect(snippets.length).toBeGreaterThan(8)
    for (const [index, { place: from, code }] of snippets.entries()) {
      await writeFile(join(place.folder, `snippet-${index}.ts`), `// ${from}\n${code}\nexport {}\n`)
    }
    const options = { noUnusedLocals: false, noUnusedParameters: false }
    const config = { extends: '../../tsconfig.base.json', compilerOptions: options, include: ['*.ts'] }
    await writeFile(join(place.folder, 'tsconfig.json'), JSON.stringify(config))
    const checked = await run('tsc', ['-p', place.folder]).catch(({ stdout }: { stdout: string }) => ({ stdout }))
    expect(checked.stdout).toBe('')
  })

  it('link to files that are there', async () => {
    for (const path of await markdownFiles()) {
      const text = await readFile(join(root, path), 'utf8')
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
        await expect(access(join(root, dirname(path), target)), `${target} in ${path}`).resolves.toBeUndefined()
      }
    }
  })

  it('name every error code, and no other', async () => {
    const source = await readFile(join(root, 'packages/core/src/errors.ts'), 'utf8')
    const table = source.slice(source.indexOf('interface ErrorDetails'), source.indexOf('interface ProviderFailure'))
    const codes = Array.from(table.matchAll(/^ {2}'?([a-z.-]+)'?:/gm), ([, code]) => code)
    const documented = Array.from(
      (await readFile(join(root, 'docs/errors.md'), 'utf8')).matchAll(/^\| `([a-z.-]+)`/gm),
      ([, code]) => code,
    )
    expect(documented).toEqual(codes)
    expect(codes.length).toBeGreaterThan(20)
  })
})

describe('the first program of the README', () => {
  it('runs as it stands there, and remembers', async () => {
    await using place = await scratch()
    const [program] = (await snippetsOf('README.md')).filter(({ name }) => name === 'first program')
    await writeFile(join(place.folder, 'program.ts'), program?.code ?? 'throw new Error("It is gone.")')
    const server = new LLMock({ port: 0, logLevel: 'silent' })
    server.onMessage('Hello!', { content: 'Hello Bob!' })
    const env = { ...process.env, ANTHROPIC_API_KEY: 'test', ANTHROPIC_BASE_URL: await server.start() }
    try {
      const args = ['--conditions=@orra/source', 'program.ts']
      for (const messages of [1, 3]) {
        const { stdout, stderr } = await run(process.execPath, args, { cwd: place.folder, env })
        expect({ stdout, stderr }).toEqual({ stdout: 'Hello Bob!', stderr: '' })
        // The instructions stand before the messages in this server's journal.
        const body = server.getLastRequest()?.body as { messages: readonly { role: string }[] }
        expect(body.messages.filter(({ role }) => role !== 'system')).toHaveLength(messages)
      }
    } finally {
      await server.stop()
    }
  })
})
