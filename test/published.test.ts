import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { root } from './markdown.ts'

const run = promisify(execFile)

/** Every package as it would be published, in a `node_modules` far from here, with the others' dependencies beside it. */
async function installPacked() {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'orra-packed-')))
  for (const name of await readdir(join(root, 'packages'))) {
    const source = join(root, 'packages', name)
    await run('pnpm', ['pack', '--pack-destination', folder], { cwd: source })
    const [tarball] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'))
    await run('tar', ['-xzf', tarball as string], { cwd: folder })
    await rm(join(folder, tarball as string))
    const target = join(folder, 'node_modules', '@orra', name)
    await mkdir(join(folder, 'node_modules', '@orra'), { recursive: true })
    await cp(join(folder, 'package'), target, { recursive: true })
    await rm(join(folder, 'package'), { recursive: true })
    await linkDependencies(source, target, join(folder, 'node_modules'))
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

async function linkDependencies(source: string, target: string, modules: string): Promise<void> {
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(await readFile(join(target, 'package.json'), 'utf8'))
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (name.startsWith('@orra/')) continue
    await mkdir(join(modules, name, '..'), { recursive: true })
    await symlink(await realpath(join(source, 'node_modules', name)), join(modules, name)).catch(() => {})
  }
}

/** The environment, without what would have a model answer. */
function withoutModels(): NodeJS.ProcessEnv {
  const { ANTHROPIC_API_KEY: _, OPENAI_API_KEY: __, OPENAI_BASE_URL: ___, ...env } = process.env
  return env
}

it('what would be published runs by itself', async () => {
  await using packed = await installPacked()
  const program = `
    import { createRuntime, Namespace } from '@orra/core'
    import { sqliteStore } from '@orra/store-sqlite'
    import { anthropic } from '@orra/provider-anthropic'
    import { openai, openaiCompatible } from '@orra/provider-openai'
    import '@orra/provider-openai/embeddings'
    import '@orra/provider-openai/images'
    import '@orra/provider-openai/speech'
    import '@orra/provider-openai/tokens'
    import { terminalChannel } from '@orra/channel-terminal'

    const local = openaiCompatible({ baseURL: 'http://127.0.0.1:9/v1', model: 'm' })
    const failures = []
    for (const provider of [anthropic({ model: 'm' }), openai({ model: 'm' })]) {
      const orra = createRuntime({ provider, store: sqliteStore('app.db') })
      failures.push(await orra.run(Namespace.of('bob'), 'Hello').catch((error) => error.code))
    }
    console.log(...failures, local.name, terminalChannel({ namespace: Namespace.of('bob') }).name)
  `
  await writeFile(join(packed.folder, 'program.mjs'), program)
  const env = withoutModels()
  const { stdout, stderr } = await run(process.execPath, ['program.mjs'], { cwd: packed.folder, env })
  expect({ stdout, stderr }).toEqual({
    stdout: 'provider.unconfigured provider.unconfigured openai-compatible terminal\n',
    stderr: '',
  })

  for (const name of await readdir(join(packed.folder, 'node_modules', '@orra'))) {
    const text = await readFile(join(packed.folder, 'node_modules', '@orra', name, 'package.json'), 'utf8')
    expect(text).not.toMatch(/workspace:|catalog:|@orra\/source/)
  }
}, 60_000)

it('npm start is a real session', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'orra-start-'))
  const env = withoutModels()
  try {
    const lines = 'what is on the board?\\nmove task 2 to done\\n'
    const command = `printf '${lines}' | node scripts/start.mjs --database ${join(folder, 'board.db')}`
    const { stdout } = await run('sh', ['-c', command], { cwd: root, env })
    expect(stdout).toContain('1. Draw the house [done], bob')
    expect(stdout).toContain('Moved: 2. Lay the foundation [done], alice')
  } finally {
    await rm(folder, { recursive: true })
  }
}, 60_000)
