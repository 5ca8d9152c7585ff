import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const root = join(import.meta.dirname, '..')

const run = promisify(execFile)

/** A fenced piece of TypeScript in a Markdown file. */
export interface Snippet {
  /** Where it begins, such as `README.md:30`. */
  readonly place: string
  /** From a comment before it: `<!-- example: first program -->`. */
  readonly name: string | undefined
  readonly code: string
}

/** The Markdown files of the repository, as paths from its root. */
export async function markdownFiles(): Promise<readonly string[]> {
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root })
  return stdout
    .split('\n')
    .filter((path) => path !== '' && !path.startsWith('.changeset/') && !path.endsWith('CHANGELOG.md'))
}

export async function snippetsOf(path: string): Promise<readonly Snippet[]> {
  const text = await readFile(join(root, path), 'utf8')
  return Array.from(text.matchAll(/(?:<!-- example: (?<name>.+?) -->\n)?```ts\n(?<code>.*?)```/gs), (match) => ({
    place: `${path}:${text.slice(0, match.index).split('\n').length}`,
    name: match.groups?.['name'],
    code: match.groups?.['code'] ?? '',
  }))
}
