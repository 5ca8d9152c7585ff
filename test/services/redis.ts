import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, it } from 'vitest'
import { freePort } from './free-port.ts'

interface Client {
  connect(): Promise<unknown>
  on(event: 'error', listener: () => void): unknown
  sendCommand<Reply = unknown>(args: readonly string[]): Promise<Reply>
  destroy(): void
}

/** The beginning of the names of a test's own keys, which are all deleted with it. */
export interface ScratchPrefix {
  readonly prefix: string
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** A server of a test's own, in a temporary folder. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Ends it as a loss of power would, or stops it gently. */
  stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** Starts it again on the same port, with the data of its folder. */
  start(): Promise<void>
  /** Says something to it, such as `['CONFIG', 'SET', 'maxmemory', '1']`. */
  ask(...command: readonly string[]): Promise<unknown>
}

const LOCAL = 'redis://127.0.0.1:6379'
const HOW = 'set ORRA_TEST_REDIS_URL, start Redis on 127.0.0.1:6379, or put redis-server on the PATH'

const load = createRequire(new URL('../../packages/store-redis/package.json', import.meta.url))
const { createClient } = load('redis') as {
  readonly createClient: (options: { url: string; socket: { reconnectStrategy: false } }) => Client
}

/**
 * Tests with a real Redis: the one of `ORRA_TEST_REDIS_URL`, the one of this machine, or one that is started for this file.
 * Where there is none they are skipped, and fail in CI.
 */
export async function describeRedis(name: string, tests: (url: string) => void): Promise<void> {
  const url = await findRedis()
  if (url !== undefined) describe(name, () => tests(url))
  else missing(name)
}

/** Tests with servers of their own, which they may stop, fill up and configure. Skipped without `redis-server`. */
export async function describeRedisServer(
  name: string,
  tests: (start: (...options: readonly string[]) => Promise<RedisServer>) => void,
): Promise<void> {
  if (await isInstalled()) describe(name, () => tests(startRedis))
  else missing(name)
}

export function scratchPrefix(url: string): ScratchPrefix {
  const prefix = `orra-test-${randomUUID()}`
  return { prefix, [Symbol.asyncDispose]: async () => withClient(url, (client) => deleteKeys(client, prefix)) }
}

function missing(name: string): void {
  if (process.env['CI'] === 'true') throw new Error(`These tests need Redis: ${HOW}.`)
  it.skip(`${name} (needs Redis: ${HOW})`)
}

async function findRedis(): Promise<string | undefined> {
  const { ORRA_TEST_REDIS_URL: given } = process.env
  if (given !== undefined) return given
  const isThere = await withClient(LOCAL, (client) => client.sendCommand(['PING'])).then(
    () => true,
    () => false,
  )
  if (isThere) return LOCAL
  if (!(await isInstalled())) return undefined
  const server = await startRedis()
  afterAll(() => server[Symbol.asyncDispose]())
  return server.url
}

async function isInstalled(): Promise<boolean> {
  const child = spawn('redis-server', ['--version'], { stdio: 'ignore' })
  return await once(child, 'exit').then(
    () => true,
    () => false,
  )
}

async function startRedis(...options: readonly string[]): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'orra-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...options]
  let child: ChildProcess | undefined

  const start = async () => {
    child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> })) {
      if (line.includes('Ready to accept connections')) break
    }
    child.stdout?.resume()
    if (child.exitCode !== null) throw new Error(`A Redis with ${args.join(' ')} ended before it was ready.`)
  }
  const stop = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  await start()
  return {
    ...{ url, port, start, stop },
    ask: (...command) => withClient(url, (client) => client.sendCommand(command)),
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient({ url, socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    client.destroy()
  }
}

async function deleteKeys(client: Client, prefix: string): Promise<void> {
  let cursor = '0'
  do {
    const scan = ['SCAN', cursor, 'MATCH', `${prefix}*`, 'COUNT', '1000']
    const [next, keys] = await client.sendCommand<readonly [string, readonly string[]]>(scan)
    // In a cluster one command takes only keys of one slot.
    await Promise.all(keys.map((key) => client.sendCommand(['UNLINK', key])))
    cursor = next
  } while (cursor !== '0')
}
