import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { opendir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Namespace } from '@orra/core'
import { ifThere, systemCode } from './file-error.ts'
import { fileNameOf, isReadableName, textOfNameOrFile } from './file-name.ts'
import { flushFolder, replaceFile, type Writing } from './replace-file.ts'

/** Names that begin so are none of a segment. */
const OWN = '@'
/** Holds the segment, where the folder's name does not tell. */
const NAME_FILE = '@name'
/** So many folders are looked at before others get their turn. */
const FOLDERS_AT_ONCE = 64

interface NamespaceFolder {
  /** The key of the namespace. */
  readonly key: string
  readonly folder: string
}

/** A folder for each namespace, inside that of its parent. What belongs to the namespace itself begins with `@`. */
export interface NamespaceTree {
  folderOf(namespace: Namespace): string
  /** Makes `folder`, which is that of `namespace` or lies in it. */
  makeFolder(namespace: Namespace, folder: string): void
  /** The folders of namespaces in the order of their keys, from the key `from` on; there may be nothing in them. */
  inOrder(options: {
    readonly within?: Namespace | undefined
    readonly from?: string | undefined
  }): AsyncGenerator<NamespaceFolder, void>
  /**
   * Removes a folder of this tree at once, whatever it holds: it goes away as a whole, then bit by bit. `seen` is told of
   * each file before that, by its path there. Empty folders above it go, too.
   */
  remove(folder: string, seen: (path: string) => void): Promise<void>
  /** Removes a folder and those above it, as far as they are empty. */
  removeEmpty(folder: string): void
}

interface Step extends NamespaceFolder {
  /** Those below the folder, or the folder itself. */
  readonly below: boolean
  /** Where it comes in the order of keys: keys of those below begin with the key and a colon. */
  readonly place: string
}

export function namespaceTree(root: string, writing: Writing): NamespaceTree {
  const folderOf = ({ segments }: Namespace) => join(root, ...segments.map(fileNameOf))

  /** The two steps of each child, in order. */
  function childrenOf({ key, folder, below }: Step): readonly Step[] {
    if (!below) return []
    const names = ifThere(() => readdirSync(folder)) ?? []
    return names
      .flatMap((name) => {
        const segment = name.startsWith(OWN) ? undefined : segmentOf(folder, name)
        if (segment === undefined) return []
        const own = Namespace.of(segment).key
        return stepsOf(key === '' ? own : `${key}:${own}`, join(folder, name))
      })
      .sort((a, b) => (a.place < b.place ? -1 : 1))
  }

  function removeEmpty(folder: string): void {
    for (let empty = folder; empty.length > root.length; empty = dirname(empty)) {
      if (!(isNameAlone(empty) ? isRemovedWithName(empty) : isRemoved(empty))) return
    }
  }

  function isRemovedWithName(folder: string): boolean {
    const name = join(folder, NAME_FILE)
    const away = writing.passing()
    ifThere(() => renameSync(name, away))
    const isGone = isRemoved(folder)
    // Somebody was faster, and relies on the name.
    if (!isGone) ifThere(() => renameSync(away, name))
    rmSync(away, { force: true })
    return isGone
  }

  /** Whether one of them was not there. */
  function writeNames({ segments }: Namespace): boolean {
    let folder = root
    let isNew = false
    for (const segment of segments) {
      const name = fileNameOf(segment)
      folder = join(folder, name)
      if (isReadableName(name) || nameIn(folder) === segment) continue
      mkdirSync(folder, { recursive: true })
      // What only the file tells must not get lost.
      replaceFile(join(folder, NAME_FILE), segment, { ...writing, durable: true })
      isNew = true
    }
    return isNew
  }

  return {
    folderOf,

    makeFolder(namespace, folder) {
      writeNames(namespace)
      // Whoever removes what is empty may take a name away in between.
      do mkdirSync(folder, { recursive: true })
      while (writeNames(namespace))
      if (!writing.durable) return
      for (let made = folder; made.length >= root.length; made = dirname(made)) flushFolder(made)
    },

    async *inOrder({ within, from = '' }) {
      const top: Step = { key: '', folder: root, below: true, place: '' }
      const stack = within ? [...stepsOf(within.key, folderOf(within))].reverse() : [top]
      let seen = 0
      for (let step = stack.pop(); step; step = stack.pop()) {
        const { key, folder, below, place } = step
        // Above every key that begins with the key and a colon: `;` follows `:`.
        if ((below ? (key === '' ? '\uffff' : `${key};`) : place) < from) continue
        seen += 1
        if (seen % FOLDERS_AT_ONCE === 0) await setImmediate()
        if (below) stack.push(...[...childrenOf(step)].reverse())
        else yield { key, folder }
      }
    },

    async remove(folder, seen) {
      const away = writing.passing()
      if (!ifThere(() => isMoved(folder, away))) return
      if (writing.durable) flushFolder(dirname(folder))
      removeEmpty(dirname(folder))
      for await (const file of await opendir(away, { recursive: true })) {
        if (file.isFile()) seen(join(file.parentPath, file.name))
      }
      await rm(away, { recursive: true, force: true })
    },

    removeEmpty,
  }
}

function isMoved(from: string, to: string): true {
  renameSync(from, to)
  return true
}

function stepsOf(key: string, folder: string): readonly [Step, Step] {
  return [
    { key, folder, below: false, place: key },
    { key, folder, below: true, place: `${key}:` },
  ]
}

function segmentOf(folder: string, name: string): string | undefined {
  return textOfNameOrFile(name, () => nameIn(join(folder, name)))
}

function nameIn(folder: string): string | undefined {
  return ifThere(() => readFileSync(join(folder, NAME_FILE), 'utf8'))
}

/** Whether a folder holds its name and nothing else. */
function isNameAlone(folder: string): boolean {
  if (isReadableName(basename(folder))) return false
  const files = ifThere(() => readdirSync(folder)) ?? []
  return files.length === 1 && files[0] === NAME_FILE
}

/** `false` where something is in the folder, or somebody was faster. */
function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder)
    return true
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EPERM', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}
