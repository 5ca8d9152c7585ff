import {
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ifThere, systemCode, unusable } from './file-error.ts'
import { isRunning, type ProcessIdentity, thisProcess } from './process-identity.ts'

/** Locks between the processes of one machine. */
export interface FileLocks {
  /** Names this store object among all. From then on others can tell by the name whether its process runs. */
  signIn(): string
  /**
   * Runs `work` while nobody else, here or in another process, runs work under this name. Throws `store.unusable` when
   * another process keeps the lock for too long. Locks may be nested, always in one order.
   */
  hold<T>(name: string, work: () => T | Promise<T>): Promise<T>
  /** To be called when nothing is under way, and nothing will be. */
  signOut(): void
}

export interface FileLocksOptions {
  /** How long to wait for another process, in milliseconds. */
  readonly busyTimeoutMs: number
  /**
   * How long a holder of whom nothing can be known must do nothing before its lock is taken over, in milliseconds.
   * @default 5000
   */
  readonly silentMs?: number
}

const SILENT_MS = 5000
const LONGEST_WAIT_MS = 16

/**
 * A lock is a hard link to the file that says who this process is: made whole or not at all, and only by one. It belongs to
 * whoever stands at the end of its chain: the lock of a process that died stays where it is, and is taken over by a link
 * named after it, which again only one can make. So there is nothing that two could remove, one of them too late.
 * Giving back begins with the first link of the chain; what hangs below it is then nobody's.
 */
export function fileLocks(folder: string, { busyTimeoutMs, silentMs = SILENT_MS }: FileLocksOptions): FileLocks {
  const self = thisProcess()
  const card = join(folder, `${self.token}.process`)
  const queues = new Map<string, Promise<unknown>>()
  const silences = new Map<string, SilenceWatch>()
  let isSignedIn = false

  function signIn(): string {
    if (isSignedIn) return self.token
    writeFileSync(card, '')
    writeFileSync(card, `${JSON.stringify({ ...self, inode: statSync(card).ino })}\n`)
    isSignedIn = true
    return self.token
  }

  const take = (path: string): boolean => {
    try {
      signIn()
      linkSync(card, path)
      return true
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false
      throw error
    }
  }

  /** All links of the lock, the first one first. */
  async function acquire(name: string): Promise<readonly string[]> {
    const first = join(folder, `${name}.lock`)
    const began = performance.now()
    const silence = silences.get(name) ?? silenceWatch(silentMs)
    silences.set(name, silence)
    for (let waitMs = 1; !take(first); ) {
      const chain = chainOf(first)
      if (chain === undefined) continue
      const { holder, links } = chain
      const running = isRunning(holder, self)
      // In a copy of the folder the locks are copies, too: their process runs, but not there.
      const isHeld = running === true && !holder.isCopy
      if (running === false || (!isHeld && silence.isOver(chain))) {
        const next = `${first}.${holder.token}`
        if (take(next)) {
          // Were the lock given back in between, then its first link would have gone before `next` could be made again.
          if (readCard(first)?.token === chain.firstToken) {
            silences.delete(name)
            return [...links, next]
          }
          ifThere(() => unlinkSync(next))
        }
        continue
      }
      if (performance.now() - began > busyTimeoutMs) throw busy(folder, holder)
      await delay(waitMs * (0.5 + Math.random()))
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
    }
    silences.delete(name)
    return [first]
  }

  function giveBack(links: readonly string[], sinceMs: number): void {
    const [first = ''] = links
    // Whoever was out for so long may have been taken for dead, and the first link be somebody else's by now.
    const mayBeLost = links.length === 1 && performance.now() - sinceMs > silentMs / 2
    if (mayBeLost && ifThere(() => statSync(first).ino) !== statSync(card).ino) return
    for (const link of links) ifThere(() => unlinkSync(link))
  }

  async function locked<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const first = join(folder, `${name}.lock`)
    const links = take(first) ? [first] : await acquire(name)
    const sinceMs = performance.now()
    try {
      return await work()
    } finally {
      giveBack(links, sinceMs)
    }
  }

  return {
    signIn,
    hold(name, work) {
      const before = queues.get(name)
      const result = before ? before.then(() => locked(name, work)) : locked(name, work)
      const settled = result.then(
        () => {},
        () => {},
      )
      queues.set(name, settled)
      settled.then(() => {
        if (queues.get(name) === settled) queues.delete(name)
      })
      return result
    },
    signOut() {
      if (isSignedIn) ifThere(() => unlinkSync(card))
      isSignedIn = false
    },
  }
}

/** The file that says who a process is. */
interface Card extends ProcessIdentity {
  /** It is not the file that the process wrote. */
  readonly isCopy: boolean
}

/** What a card, or a lock, says of its process; `undefined` when it is not there. */
export function readCard(path: string): Card | undefined {
  const fd = ifThere(() => openSync(path, 'r'))
  if (fd === undefined) return undefined
  try {
    return cardIn(readFileSync(fd, 'utf8'), fstatSync(fd).ino)
  } finally {
    closeSync(fd)
  }
}

function cardIn(text: string, ino: number): Card {
  try {
    const { inode, ...identity } = JSON.parse(text) as ProcessIdentity & { readonly inode: number }
    return { ...identity, isCopy: inode !== ino }
  } catch {
    // What a loss of power left of it: of a process of whom nothing can be known.
    return { token: `unreadable-${ino}`, pid: 0, host: '', isCopy: true }
  }
}

interface Chain {
  readonly links: readonly string[]
  readonly firstToken: string
  readonly holder: Card
}

function chainOf(first: string): Chain | undefined {
  const card = readCard(first)
  if (card === undefined) return undefined
  const links = [first]
  for (let holder = card; ; ) {
    const next = `${first}.${holder.token}`
    const successor = readCard(next)
    if (successor === undefined) return { links, firstToken: card.token, holder }
    links.push(next)
    holder = successor
  }
}

interface SilenceWatch {
  isOver(chain: Chain): boolean
}

/** A card's links change whenever its process takes or gives back any lock: a sign of life. */
function silenceWatch(silentMs: number): SilenceWatch {
  let seen = ''
  let since = 0
  return {
    isOver({ links, holder }: Chain): boolean {
      const changed = ifThere(() => lstatSync(links.at(-1) ?? '').ctimeMs)
      const sign = `${holder.token} ${changed}`
      if (sign !== seen) since = performance.now()
      seen = sign
      return performance.now() - since > silentMs
    },
  }
}

function busy(folder: string, { pid, host }: ProcessIdentity) {
  const problem = `process ${pid} of ${host} kept it locked for too long; try again, or end that process if it hangs`
  return unusable(folder, problem)
}
