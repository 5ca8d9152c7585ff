// `npm start`: sets the workspace up where that is needed and opens the kanban assistant.
import { inForeground, install, quietly, StepFailed } from './workspace.mjs'

try {
  await install()
  await quietly('Building', 'turbo', ['run', 'build', '--filter=@orra-examples/kanban...', '--output-logs=errors-only'])
  process.exitCode = await inForeground('node', ['examples/kanban/dist/main.js', ...process.argv.slice(2)])
} catch (error) {
  console.error(error instanceof StepFailed ? error.message : error)
  process.exitCode = 1
}
