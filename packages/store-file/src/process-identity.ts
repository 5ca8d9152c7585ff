import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Who holds a lock, in words that another process of this machine can check. */
export interface ProcessIdentity {
  /** Of one store object of the process; never used again. */
  readonly token: string
  readonly pid: number
  readonly host: string
  /** Since when the machine runs, as Linux names it. */
  readonly boot?: string | undefined
  /** Within which process numbers mean the same: containers have their own. */
  readonly pidSpace?: string | undefined
  /** When the process began, in ticks since the machine did. Numbers of processes are used again; this tells them apart. */
  readonly started?: string | undefined
}

export function thisProcess(): ProcessIdentity {
  return {
    token: randomUUID(),
    pid: process.pid,
    host: hostname(),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidSpace: attempt(() => readlinkSync('/proc/self/ns/pid')),
    started: statusOf('self')?.started,
  }
}

/** Whether the other process still runs, as seen from this one; `undefined` when that cannot be known, as of a process in another container. */
export function isRunning(other: ProcessIdentity, { host, boot, pidSpace }: ProcessIdentity): boolean | undefined {
  if (boot !== undefined && other.boot !== undefined && boot !== other.boot) return false
  if (host !== other.host || pidSpace !== other.pidSpace) return undefined
  if (!hasProcess(other.pid)) return false
  const status = statusOf(`${other.pid}`)
  if (status === undefined || other.started === undefined) return undefined
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

/** From Linux's `/proc/<pid>/stat`: `pid (name) state …`, the 22nd word being the start. A name may hold anything. */
function statusOf(pid: string): { readonly started: string | undefined; readonly ended: boolean } | undefined {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
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
