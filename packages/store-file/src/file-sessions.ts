import { basename, dirname } from 'node:path'
import { emptyHead, isPending, type Lease, Namespace, planAppend, type SessionHead, type SessionLog } from '@orra/core'
import type { Guard } from './guard.ts'
import type { NamespaceTree } from './namespace-tree.ts'
import type { NumberFile } from './number-file.ts'
import { pageOf } from './page-of.ts'
import type { PendingMarkers } from './pending-markers.ts'
import type { Writing } from './replace-file.ts'
import { LOG_FILE } from './session-file.ts'
import type { SessionFiles } from './session-files.ts'
import { isHeld, removeLease, writeLease } from './session-lease.ts'
import { headAtEnd } from './session-tail.ts'

export interface FileSessionsOptions {
  readonly tree: NamespaceTree
  readonly files: SessionFiles
  readonly markers: PendingMarkers
  readonly numbers: NumberFile
  readonly writing: Writing
  readonly now: () => number
  readonly guarded: Guard
}

export function fileSessions(options: FileSessionsOptions): SessionLog {
  const { tree, files, markers, numbers, writing, now, guarded } = options

  async function headOf(namespace: Namespace): Promise<SessionHead | undefined> {
    const end = files.isKept(namespace) ? undefined : headAtEnd(files.folderOf(namespace))
    return end ? end.head : files.look(namespace, ({ head }) => head && copyOf(head))
  }

  /** Runs `work` alone among all while the lease is the session's; `false` when it is lost. */
  const whileHeld = (namespace: Namespace, epoch: number, work: () => void): Promise<boolean> =>
    files.hold(namespace, (file) =>
      file.log.change(() => {
        if (file.head?.epoch !== epoch) return false
        work()
        return true
      }),
    )

  function leaseOf(namespace: Namespace, head: SessionHead, owner: string, ttlMs: number): Lease {
    const { epoch } = head
    const folder = files.folderOf(namespace)
    return {
      namespace,
      epoch,
      head,
      renew: () =>
        guarded(undefined, () =>
          whileHeld(namespace, epoch, () => writeLease(folder, { epoch, owner, endsAt: now() + ttlMs }, writing)),
        ),
      release: () =>
        guarded(undefined, async () => {
          await whileHeld(namespace, epoch, () => removeLease(folder))
        }),
    }
  }

  /** Forgets that a session may have work, if it has none. */
  const unmark = (namespace: Namespace): Promise<void> =>
    files.hold(namespace, (file) =>
      file.log.change(() => {
        if (!file.head || !isPending(file.head)) markers.remove(namespace.key)
      }),
    )

  async function* pendingHeads(within: Namespace | undefined, after: string): AsyncGenerator<SessionHead, void> {
    for (const key of markers.all()) {
      const namespace = Namespace.parse(key)
      if (key <= after || !(within?.contains(namespace) ?? true)) continue
      const head = await headOf(namespace)
      if (!head || !isPending(head)) await unmark(namespace)
      else if (!isHeld(files.folderOf(namespace), head, now())) yield head
    }
  }

  async function* heads(within: Namespace | undefined, after: string): AsyncGenerator<SessionHead, void> {
    for await (const { key } of tree.inOrder({ within, from: after })) {
      const head = key === after ? undefined : await headOf(Namespace.parse(key))
      if (head) yield head
    }
  }

  return {
    append(namespace, entries, { signal, ...conditions } = {}) {
      return guarded(signal, () => {
        const given = copyOf(entries)
        return files.hold(namespace, (file) =>
          file.log.change((append) => {
            const before = file.head
            const plan = planAppend(namespace, before, given, { ...conditions, now: now(), seqOfKey: file.seqOfKey })
            const { head, logged, seqs } = plan
            const result = { head: copyOf(head), seqs, written: logged.length }
            if (logged.length === 0) return result
            const wasPending = before !== undefined && isPending(before)
            if (isPending(head) && !wasPending) markers.set(namespace.key)
            append({ head, entries: logged })
            if (wasPending && !isPending(head)) markers.removeIfPossible(namespace.key)
            return result
          }),
        )
      })
    },

    read(namespace, { after = 0, limit = 1000, signal } = {}) {
      return guarded(signal, () =>
        files.look(namespace, (file, fd) => (fd === undefined ? [] : file.read(fd, after, limit))),
      )
    },

    head: (namespace, { signal } = {}) => guarded(signal, () => headOf(namespace)),

    claim(namespace, { owner, ttlMs, signal }) {
      return guarded(signal, () =>
        files.hold(namespace, async (file) => {
          const folder = files.folderOf(namespace)
          const before = file.log.change(() => file.head)
          if (before && isHeld(folder, before, now())) return undefined
          const epoch = await numbers.next(before?.epoch ?? 0)
          const head = file.log.change((append) => {
            const claimed = { ...(file.head ?? emptyHead(namespace, now())), epoch }
            append({ head: claimed, entries: [] })
            return copyOf(claimed)
          })
          writeLease(folder, { epoch, owner, endsAt: now() + ttlMs }, writing)
          return leaseOf(namespace, head, owner, ttlMs)
        }),
      )
    },

    delete(namespace, { descendants = false, signal } = {}) {
      return guarded(signal, async () => {
        const folder = descendants ? tree.folderOf(namespace) : files.folderOf(namespace)
        const pending: Namespace[] = []
        let count = 0
        const seen = (path: string) => {
          const end = basename(path) === LOG_FILE ? headAtEnd(dirname(path)) : { head: undefined }
          if (end?.head && isPending(end.head)) pending.push(Namespace.parse(end.head.namespace))
          // A log whose last line is torn is a session, too.
          if (!end || end.head) count += 1
        }
        await files.hold(namespace, () => tree.remove(folder, seen))
        for (const gone of pending) await unmark(gone)
        return count
      })
    },

    list({ within, pending = false, after = '', limit = 100, signal } = {}) {
      return guarded(signal, () => {
        const found = pending ? pendingHeads(within, after) : heads(within, after)
        return pageOf(found, limit, ({ namespace }) => namespace)
      })
    },
  }
}

/** What comes in and what is handed out is JSON, and shares nothing with what is kept. */
function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
