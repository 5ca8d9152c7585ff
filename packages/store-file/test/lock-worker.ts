// A process of its own for file-locks.test.ts: adds one to a number in a file, under the lock, over and over, until it kills
// itself with the lock in its hands.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { fileLocks } from '../src/file-locks.ts'

const [folder = '', path = '', rounds = '', dies = ''] = process.argv.slice(2)
const locks = fileLocks(folder, { busyTimeoutMs: 60_000 })
for (let round = 0; round < Number(rounds); round += 1) {
  await locks.hold('number', async () => {
    const number = Number(readFileSync(path, 'utf8'))
    await setImmediate()
    if (dies === `${round}`) process.kill(process.pid, 'SIGKILL')
    writeFileSync(`${path}-${process.pid}`, `${number + 1}`)
    renameSync(`${path}-${process.pid}`, path)
  })
}
locks.signOut()
