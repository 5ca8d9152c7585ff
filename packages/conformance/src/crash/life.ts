import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { LifeNews, LifeTask } from './crash-process.ts'
import type { Snapshot } from './snapshot.ts'

export type Left = Extract<LifeNews, { type: 'left' }>

/** How one process came out. */
export interface Life {
  /** It was killed where it was to be. */
  readonly died: boolean
  /** What the store held when it began. */
  readonly found?: Snapshot
  readonly left?: Left
  /** Why it ended otherwise. */
  readonly failure?: string
}

/** This file is read as it was written in this repository, and built everywhere else. */
const isSource = import.meta.url.endsWith('.ts')
const program = fileURLToPath(new URL(isSource ? './crash-process.ts' : './crash-process.js', import.meta.url))
const execArgv = isSource ? ['--conditions=@orra/source'] : []

/** What a process may take beyond its patience, to begin and to tell: after that it hangs as a whole. */
const GRACE_MS = 20_000

/** Lets one process live, and waits for its end. The task is not told by arguments: a place may hold a password. */
export async function live({ scratch, ...task }: LifeTask & { readonly scratch: string }): Promise<Life> {
  // What the first process compiled need not be compiled by the hundreds after it.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(scratch, 'compiled') }
  const child = fork(program, { execArgv, env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const printed = child.stderr ? text(child.stderr) : Promise.resolve('')
  const news = new Map<LifeNews['type'], LifeNews>()
  child.on('message', (told) => news.set((told as LifeNews).type, told as LifeNews))
  let hung = false
  const timer = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, task.patienceMs + GRACE_MS)
  const closed = once(child, 'close')
  child.send(task)
  const [, signal] = await closed
  clearTimeout(timer)

  const found = news.get('found') as Extract<LifeNews, { type: 'found' }> | undefined
  const left = news.get('left') as Left | undefined
  const failed = news.get('failed') as Extract<LifeNews, { type: 'failed' }> | undefined
  const died = signal === 'SIGKILL' && !hung
  const failure = hung ? 'It hung.' : (failed?.problem ?? (died || left ? undefined : (await printed).slice(-1000)))
  return {
    died,
    ...(found ? { found: found.snapshot } : {}),
    ...(left ? { left } : {}),
    ...(failure === undefined ? {} : { failure: failure || 'It ended without a word.' }),
  }
}
