import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'

/** Who holds a lock, in words that another process or thread of this machine can check. */
export interface ProcessIdentity {
  /** Of one store object of the process; never used again. */
  readonly token: string
  readonly pid: number
  readonly host: string
  /** Since when the machine runs, as Linux names it. */
  readonly boot?: string | undefined
  /** Within which process numbers mean the same: containers have their own. */
  readonly pidSpace?: string | undefined
  /** The thread, as Linux numbers it: a worker may end while its process goes on. */
  readonly thread?: string | undefined
  /** When the thread began, in ticks since the machine did. Numbers are used again; this tells them apart. */
  readonly started?: string | undefined
}

export function thisProcess(): ProcessIdentity {
  return {
    token: randomUUID(),
    pid: process.pid,
    host: hostname(),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidSpace: attempt(() => readlinkSync('/proc/self/ns/pid')),
    thread: attempt(() => basename(readlinkSync('/proc/thread-self'))),
    started: statusOf('/proc/thread-self')?.started,
  }
}

/** Whether the other thread still runs, as seen from this one; `undefined` when that cannot be known, as of a process in another container. */
export function isRunning(other: ProcessIdentity, { host, boot, pidSpace }: ProcessIdentity): boolean | undefined {
  if (boot !== undefined && other.boot !== undefined && boot !== other.boot) return false
  if (host !== other.host || pidSpace !== other.pidSpace) return undefined
  if (!hasProcess(other.pid)) return false
  if (other.thread === undefined || other.started === undefined) return undefined
  const threads = `/proc/${other.pid}/task`
  const status = statusOf(join(threads, other.thread))
  if (status === undefined) return isMissing(threads, other.thread) ? false : undefined
  return status.started === other.started && !status.ended
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process is there, too.
    return (error as { readonly code?: unknown }).code !== 'ESRCH'
  }
}

/** Whether the folder can be seen, and nothing of this name in it: some systems hide what belongs to others. */
function isMissing(folder: string, name: string): boolean {
  const isThere = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined
  return attempt(() => isThere(folder) && !isThere(join(folder, name))) ?? false
}

/** From the `stat` in a folder of Linux's `/proc`: `pid (name) state …`, the 22nd word being the start. A name may hold anything. */
function statusOf(folder: string): { readonly started: string | undefined; readonly ended: boolean } | undefined {
  const text = attempt(() => readFileSync(join(folder, 'stat'), 'utf8'))
  if (text === undefined) return undefined
  const words = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { started: words[19], ended: words[0] === 'Z' || words[0] === 'X' }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
