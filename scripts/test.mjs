// `npm test`: everything that must hold before a change is taken. Its last line is `N passed, N failed`.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inForeground, install, quietly, StepFailed } from './workspace.mjs'

const CHECKS = [
  ['Building', 'turbo', ['run', 'build', '--output-logs=errors-only']],
  ['Checking types', 'turbo', ['run', 'typecheck', '--output-logs=errors-only']],
  ['Checking types of the workspace', 'tsc', ['-p', 'tsconfig.json']],
  ['Checking style', 'biome', ['check', '--error-on-warnings', '.']],
  ['Looking for what nobody uses', 'knip', []],
  ['Checking what would be published', 'turbo', ['run', 'check:package', '--output-logs=errors-only']],
]

const folder = await mkdtemp(join(tmpdir(), 'orra-test-'))
let passed = 0
let failed = 0
try {
  await install()
  for (const [label, command, args] of CHECKS) await quietly(label, command, args)
  const report = join(folder, 'report.json')
  const code = await inForeground('vitest', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ])
  const counts = JSON.parse(await readFile(report, 'utf8'))
  passed = counts.numPassedTests
  // A file that cannot even be read has no tests that could fail.
  failed = counts.numFailedTests || (code === 0 ? 0 : 1)
} catch (error) {
  failed += 1
  console.error(error instanceof StepFailed ? error.message : error)
} finally {
  await rm(folder, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
