import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { isOrraError } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { fileLocks } from '../src/file-locks.ts'
import { thisProcess } from '../src/process-identity.ts'
import type { ThreadData } from './lock-thread.ts'
import { scratch } from './scratch.ts'

const worker = join(import.meta.dirname, 'lock-worker.ts')
const execArgv = ['--conditions=@orra/source']

async function place() {
  const outer = await scratch()
  const folder = join(outer.folder, 'locks')
  mkdirSync(folder)
  const number = join(outer.folder, 'number')
  writeFileSync(number, '0')
  return { ...outer, folder, number }
}

/** No process has this number. */
const DEAD = { pid: 2 ** 30 }

/** Resolves with whether it ended by itself. */
const ended = (child: ChildProcess) =>
  new Promise<boolean>((resolve) => child.on('exit', (code) => resolve(code === 0)))

/** A lock that somebody took, and did not give back. */
function leave(folder: string, name: string, identity: object): void {
  const card = join(folder, 'other.process')
  writeFileSync(card, JSON.stringify({ ...thisProcess(), ...identity }))
  linkSync(card, join(folder, `${name}.lock`))
}

describe('a lock', () => {
  it('keeps processes apart, and no killed one keeps it', async () => {
    await using at = await place()
    const rounds = 100
    const start = (...dies: readonly number[]) =>
      ended(fork(worker, [at.folder, at.number, `${rounds}`, ...dies.map(String)], { execArgv, stdio: 'ignore' }))
    const deaths = [0, 1, 5, 20, 50, 90]
    const living = [start(), start()]
    const dying = deaths.map((round) => start(round))
    expect(await Promise.all(living)).toEqual([true, true])
    expect(await Promise.all(dying)).toEqual(dying.map(() => false))

    // Two in the lock at once would have lost some.
    expect(Number(readFileSync(at.number, 'utf8'))).toBe(2 * rounds + deaths.reduce((sum, done) => sum + done, 0))
    // The last one to die may have left it.
    const locks = fileLocks(at.folder, { busyTimeoutMs: 10_000 })
    expect(await locks.hold('number', () => 'mine')).toBe('mine')
    expect(readdirSync(at.folder).filter((name) => name.endsWith('.lock'))).toEqual([])
  }, 60_000)

  it('of a dead process goes to one of many who want it at the same moment', async () => {
    await using at = await place()
    const [rounds, threads] = [200, 3]
    for (let round = 0; round < rounds; round += 1)
      leave(at.folder, `lock-${round}`, { ...DEAD, token: `dead-${round}` })
    const shared = new Int32Array(new SharedArrayBuffer(16))
    const thread = join(import.meta.dirname, 'lock-thread.ts')
    const workerData: ThreadData = { folder: at.folder, rounds, threads, shared }
    const racing = Array.from({ length: threads }, () => once(new Worker(thread, { workerData, execArgv }), 'exit'))
    expect((await Promise.all(racing)).flat()).toEqual([0, 0, 0])
    expect([...shared]).toEqual([threads * rounds, 0, 0, threads * rounds])
    expect(readdirSync(at.folder)).toEqual(['other.process'])
  }, 60_000)

  it('of a process with the number of one that died is known by when it began', async () => {
    await using at = await place()
    const { started } = thisProcess()
    leave(at.folder, 'lock', { token: 'before', started: started && `${Number(started) - 1}` })
    const locks = fileLocks(at.folder, { busyTimeoutMs: 10_000, silentMs: 50 })
    expect(await locks.hold('lock', () => 'mine')).toBe('mine')
  })

  it.runIf(process.platform === 'linux')(
    'of a thread that was ended is taken over, though its process goes on',
    async () => {
      await using at = await place()
      const workerData: ThreadData = {
        folder: at.folder,
        rounds: 1,
        threads: 1,
        shared: new Int32Array(4),
        holds: true,
      }
      const thread = new Worker(join(import.meta.dirname, 'lock-thread.ts'), { workerData, execArgv })
      await once(thread, 'message')
      const impatient = fileLocks(at.folder, { busyTimeoutMs: 0, silentMs: 0 })
      await expect(impatient.hold('lock-0', () => 'mine')).rejects.toThrow('kept it locked for too long')
      await thread.terminate()
      const locks = fileLocks(at.folder, { busyTimeoutMs: 10_000, silentMs: 60_000 })
      expect(await locks.hold('lock-0', () => 'mine')).toBe('mine')
    },
  )

  it.each([true, false])('in a copy of the folder is nobody’s, links kept: %s', async (linksKept) => {
    await using at = await place()
    const lock = join(at.folder, 'lock.lock')
    const copy = join(at.folder, 'copy')
    mkdirSync(copy)
    const holder = fileLocks(at.folder, { busyTimeoutMs: 0 })
    await holder.hold('lock', async () => {
      copyFileSync(lock, join(copy, 'lock.lock'))
      const kept = join(copy, `${holder.signIn()}.process`)
      if (linksKept) linkSync(join(copy, 'lock.lock'), kept)
      else copyFileSync(lock, kept)
      const locks = fileLocks(copy, { busyTimeoutMs: 10_000, silentMs: 50 })
      expect(await locks.hold('lock', () => 'mine')).toBe('mine')
      expect(readdirSync(copy).filter((name) => name.includes('.lock'))).toEqual([])
    })
  })

  it.each([
    ['in another container', { pidSpace: 'pid:[1]' }],
    ['of another host name', { host: 'elsewhere' }],
  ])('of somebody %s is taken over once nothing was heard of him for long', async (_, identity) => {
    await using at = await place()
    leave(at.folder, 'lock', { token: 'unknown', ...identity })
    const impatient = fileLocks(at.folder, { busyTimeoutMs: 0 })
    await expect(impatient.hold('lock', () => 'mine')).rejects.toThrow('kept it locked for too long')
    const locks = fileLocks(at.folder, { busyTimeoutMs: 10_000, silentMs: 50 })
    expect(await locks.hold('lock', () => 'mine')).toBe('mine')
  })

  it('whose card a loss of power emptied is taken over, too', async () => {
    await using at = await place()
    const card = join(at.folder, 'other.process')
    writeFileSync(card, '')
    linkSync(card, join(at.folder, 'lock.lock'))
    const locks = fileLocks(at.folder, { busyTimeoutMs: 10_000, silentMs: 50 })
    expect(await locks.hold('lock', () => 'mine')).toBe('mine')
  })

  it('of a living process is never taken over; whoever waits too long is told', async () => {
    await using at = await place()
    const holder = fileLocks(at.folder, { busyTimeoutMs: 10_000 })
    const other = fileLocks(at.folder, { busyTimeoutMs: 100, silentMs: 10 })
    const { promise, resolve } = Promise.withResolvers<void>()
    const held = holder.hold('lock', () => promise)
    const waiting = other.hold('lock', () => 'mine').catch((error: unknown) => error)
    expect(isOrraError(await waiting, 'store.unusable') && `${await waiting}`).toContain(`process ${process.pid} of`)
    resolve()
    await held
    expect(await other.hold('lock', () => 'mine')).toBe('mine')
  })

  it('is given back by work that fails, and the next in line is not disturbed', async () => {
    await using at = await place()
    const locks = fileLocks(at.folder, { busyTimeoutMs: 100 })
    const failed = locks.hold('lock', () => {
      throw new Error('failed')
    })
    const next = locks.hold('lock', () => 'mine')
    await expect(failed).rejects.toThrow('failed')
    expect(await next).toBe('mine')
    locks.signOut()
    expect(readdirSync(at.folder)).toEqual([])
  })
})
