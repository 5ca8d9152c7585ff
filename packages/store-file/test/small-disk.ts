import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk of one mebibyte; `undefined` where this process may not make one. */
export function smallDisk() {
  const folder = mkdtempSync(join(tmpdir(), 'orra-disk-'))
  const mount = (...options: readonly string[]) => execFileSync('mount', [...options, folder], { stdio: 'ignore' })
  try {
    mount('-t', 'tmpfs', '-o', 'size=1m', 'none')
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  return {
    folder,
    makeReadOnly: () => mount('-o', 'remount,ro'),
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true })
    },
  }
}
