// What `npm start` and `npm test` share. Runs on the Node that is there, 20 or later; everything after the set-up runs
// on the one that the workspace brings.
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const bin = join(root, 'node_modules', '.bin')

const environment = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
}

/** Installs what the lockfile names, unless it is there already. */
export async function install() {
  const [wanted, installed] = await Promise.all([read('pnpm-lock.yaml'), read('node_modules/.pnpm/lock.yaml')])
  if (wanted !== undefined && wanted === installed) return
  const { packageManager } = JSON.parse((await read('package.json')) ?? '{}')
  await quietly('Installing', 'npx', ['-y', packageManager, 'install', '--frozen-lockfile'])
}

/** Runs a command and shows one line while it does; its output only when it fails, which throws. */
export async function quietly(label, command, args) {
  const startedAt = Date.now()
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`
  const line = process.stderr.isTTY ? (text) => process.stderr.write(`\r\u001b[K${text}`) : () => {}
  line(`${label} …`)
  const tick = setInterval(() => line(`${label} … ${seconds()}`), 1000)
  try {
    const { code, output } = await run(command, args, ['ignore', 'pipe', 'pipe'])
    if (code !== 0) throw new StepFailed(label, output)
  } finally {
    clearInterval(tick)
    line('')
  }
  if (!process.stderr.isTTY) process.stderr.write(`${label}: done in ${seconds()}\n`)
}

/** Runs a command in the foreground. Ctrl-C is the command's business, as it gets it, too. Resolves to its exit code. */
export async function inForeground(command, args) {
  const ignore = () => {}
  process.on('SIGINT', ignore)
  try {
    return (await run(command, args, 'inherit')).code
  } finally {
    process.off('SIGINT', ignore)
  }
}

/** Whoever ends this process means what it runs. */
function passOn(child) {
  const signals = ['SIGTERM', 'SIGHUP']
  const pass = (signal) => child.kill(signal)
  for (const signal of signals) process.on(signal, pass)
  child.on('close', () => {
    for (const signal of signals) process.off(signal, pass)
  })
}

export class StepFailed extends Error {
  constructor(label, output) {
    super(`${label} failed:\n\n${output.trim()}\n`)
  }
}

function run(command, args, stdio) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: environment, stdio })
    let output = ''
    const collect = (chunk) => {
      output += chunk
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    passOn(child)
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGINT' ? 130 : 1), output }))
  })
}

async function read(path) {
  return readFile(join(root, path), 'utf8').catch(() => undefined)
}
