import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LLMock } from '@copilotkit/aimock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orra-kanban-'))
})

afterAll(() => rm(folder, { recursive: true }))

interface Started {
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  readonly screen: () => string
  readonly shows: (text: string) => Promise<void>
}

/** The program itself, in a process of its own. */
function start(args: readonly string[], env: Record<string, string> = {}): Started {
  const { ANTHROPIC_API_KEY: _, OPENAI_API_KEY: __, OPENAI_BASE_URL: ___, ...rest } = process.env
  const main = join(import.meta.dirname, '../src/main.ts')
  const child = spawn(process.execPath, ['--conditions=@orra/source', main, ...args], {
    cwd: folder,
    env: { ...rest, ...env },
  })
  let shown = ''
  const watchers = new Set<() => void>()
  const collect = (chunk: Buffer) => {
    shown += chunk
    for (const check of watchers) check()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  return {
    child,
    exited: new Promise((resolve) => child.on('close', resolve)),
    screen: () => shown,
    shows: (text) =>
      new Promise((resolve) => {
        const check = () => {
          if (shown.includes(text)) resolve()
        }
        watchers.add(check)
        check()
      }),
  }
}

/** A whole session from a pipe. */
async function session(lines: readonly string[], args: readonly string[], env: Record<string, string> = {}) {
  const { child, exited, screen } = start(args, env)
  child.stdin?.end(lines.map((line) => `${line}\n`).join(''))
  return { code: await exited, shown: screen() }
}

describe('without a model', () => {
  it('answers plain requests, and says in its first line that no model is in use', async () => {
    const { code, shown } = await session(['what is on the board?', 'move task 2 to done'], ['--database', 'plain.db'])
    expect(code).toBe(0)
    expect(shown.split('\n')[0]).toContain('No model is in use')
    expect(shown.split('\n')[0]).toContain('ANTHROPIC_API_KEY')
    expect(shown).toContain('2. Lay the foundation [doing], alice')
    expect(shown).toContain('Moved: 2. Lay the foundation [done], alice')
  })

  it('refuses a viewer at execution, in words, and changes nothing', async () => {
    const { code, shown } = await session(
      ['/as vic', 'move task 3 to done', 'what is bob working on?', '/explain move_task'],
      ['--database', 'viewer.db'],
    )
    expect(code).toBe(0)
    expect(shown).toContain('The policy is company:viewer:*: tools.allow.')
    expect(shown).toContain('✗ move_task: The tool "move_task" is not allowed here.')
    expect(shown).toContain('I could not do that. The tool "move_task" is not allowed here.')
    expect(shown).toContain('3. Order the windows [todo], bob')
  })

  it('keeps conversations and board over a restart, each person’s apart', async () => {
    const database = ['--database', 'kept.db']
    await session(['create task Paint the door for bob', '/as bob', 'start task 3'], database)
    const { shown } = await session(['/history', '/as bob', '/history', '/board'], database)
    const [alice = '', bob = ''] = shown.split('You are bob, a member.')
    expect(alice).toContain('you: create task Paint the door for bob')
    expect(alice).not.toContain('start task 3')
    expect(bob).toContain('you: start task 3')
    expect(bob).toContain('DOING\n  2. Lay the foundation (alice)\n  3. Order the windows (bob)\n')
    expect(bob).toContain('5. Paint the door (bob)')
  })

  it('serves two processes on one database', async () => {
    const database = ['--database', 'shared.db']
    const texts = Array.from({ length: 5 }, (_, index) => `create task number ${index}`)
    const both = await Promise.all([session(texts, database), session(texts, database)])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    const { shown } = await session(['/history', '/board'], database)
    expect(shown.match(/^you: /gm)).toHaveLength(10)
    expect(shown.match(/^ {2}\d+\. number \d$/gm)).toHaveLength(10)
  })
})

describe('what cannot be undone', () => {
  const question = 'approve delete_task {"id":2}? [y/N]'
  const kept = '2. Lay the foundation (alice)'

  it('is done once it was approved', async () => {
    const { code, shown } = await session(['delete task 2', 'y', '/board'], ['--database', 'approved.db'])
    expect(code).toBe(0)
    expect(shown).toContain(`${question}\n`)
    expect(shown).toContain('Deleted: 2. Lay the foundation [doing], alice')
    expect(shown).not.toContain(kept)
  })

  it.each([
    ['a no', 'n', 'refused.db'],
    ['something else', 'show me the board', 'else.db'],
  ])('is not done for %s', async (_, answer, database) => {
    const { shown } = await session(['delete task 2', answer, '/board'], ['--database', database])
    expect(shown).toContain('I could not do that. It was not approved.')
    expect(shown).toContain(kept)
    expect(shown.includes('→ list_tasks')).toBe(answer !== 'n')
  })

  it.each([
    ['done', 'y', false],
    ['left', 'n', true],
  ])('is %s as it is decided after the program was killed', async (name, answer, isKept) => {
    const database = ['--database', `asked-${name}.db`]
    const killed = start(database)
    killed.child.stdin?.write('delete task 2\n')
    await killed.shows(question)
    killed.child.kill('SIGKILL')
    await killed.exited

    const untouched = await session(['/approvals', '/board'], database)
    expect(untouched.shown).toContain('1. delete_task {"id":2}\n')
    expect(untouched.shown).toContain(kept)
    const { shown } = await session([answer, '/approvals', '/board'], database)
    expect(shown).toContain(question)
    expect(shown).toContain('Nothing waits for an approval here.')
    expect(shown.includes(kept)).toBe(isKept)
  })

  it('is the speaker’s own to decide, and of nobody beside', async () => {
    const database = ['--database', 'neighbour.db']
    const { shown } = await session(['delete task 2', '/as bob', '/approvals', '/approve 1', 'y', '/board'], database)
    expect(shown).toContain('Nothing was decided; it waits.')
    expect(shown).toContain('Nothing waits for an approval here.')
    expect(shown).toContain('No call of this number waits here')
    expect(shown).toContain(kept)
  })
})

describe('limits', () => {
  it('keep a viewer from asking all the time', async () => {
    // More than twice as many as a minute has room for, so that one minute has too many wherever it begins.
    const lines = ['/as vic', ...Array.from({ length: 11 }, () => 'list all tasks')]
    const { code, shown } = await session(lines, ['--database', 'often.db'])
    expect(code).toBe(0)
    expect(shown).toContain('The limit of 5 runs a minute for company:viewer:vic is reached.')
    expect(shown.match(/✓ list_tasks/g)?.length).toBeGreaterThanOrEqual(5)
  })

  it('end what the company has no money for, in words', async () => {
    const server = new LLMock({ port: 0, logLevel: 'silent' })
    server.onMessage('Hello', { content: 'Hello to you.' })
    const env = { ANTHROPIC_API_KEY: 'test', ANTHROPIC_BASE_URL: await server.start() }
    try {
      const args = ['--database', 'poor.db', '--usd-per-day', '0.000001']
      const { code, shown } = await session(['Hello', '/usage'], args, env)
      expect(code).toBe(0)
      expect(shown).toContain('The limit of 0.000001 US dollars a day for company is')
      expect(shown).not.toContain('Hello to you.')
      expect(server.getLastRequest()).toBeFalsy()
    } finally {
      await server.stop()
    }
  })
})

describe('the planner', () => {
  const next = 'Next is 2. Lay the foundation [doing], alice. After it comes 3. Order the windows [todo], bob.'

  it('advises when it is called, and when it is asked by the main agent', async () => {
    const { shown } = await session(
      ['@planner what is next?', 'ask the planner what is next', '/usage'],
      ['--database', 'planner.db'],
    )
    const [called = '', asked = ''] = shown.split('→ delegate_to_agent')
    expect(called).toContain(`\n${next}\n`)
    expect(called).not.toContain('planner |')
    expect(asked).toContain(`  planner | ${next}\n`)
    expect(asked).toContain(`\n${next}\n`)
    expect(asked).toMatch(/Today: 3 runs, .*\n {2}rules: 6 calls/)
  })

  it('changes nothing, whoever asks it', async () => {
    const lines = ['@planner move task 2 to done', '/as vic', 'ask the planner to tell me what is next', '/board']
    const { shown } = await session(lines, ['--database', 'advice.db'])
    expect(shown).toContain('✗ move_task: ')
    expect(shown).toContain(`  planner | ${next}\n`)
    expect(shown).toContain('DOING\n  2. Lay the foundation (alice)')
  })
})

describe('with Claude', () => {
  it('calls tools, streams and answers', async () => {
    const server = new LLMock({ port: 0, logLevel: 'silent' })
    server.on({ hasToolResult: false }, { toolCalls: [{ name: 'list_tasks', arguments: { assignee: 'bob' } }] })
    server.on(
      { hasToolResult: true },
      { content: 'Bob orders the windows.', usage: { input_tokens: 1000, output_tokens: 100 } },
    )
    const url = await server.start()
    try {
      const env = { ANTHROPIC_API_KEY: 'test', ANTHROPIC_BASE_URL: url }
      const { code, shown } = await session(
        ['What does Bob do?', '/usage'],
        ['--database', 'claude.db', '--model', 'claude-haiku-5-5'],
        env,
      )
      expect(code).toBe(0)
      expect(shown).toContain('The model is claude-haiku-5-5.')
      expect(shown).toContain('→ list_tasks {"assignee":"bob"}')
      expect(shown).toContain('Bob orders the windows.')
      expect(server.getLastRequest()?.body).toMatchObject({ model: 'claude-haiku-5-5' })
      expect(shown).toMatch(/ {2}claude-haiku-5-5: 2 calls, 1000 tokens in and 100 out, \$0\.\d+/)
    } finally {
      await server.stop()
    }
  })

  it('killed in the middle of an answer, loses nothing and finishes it at the next start', async () => {
    const server = new LLMock({ port: 0, logLevel: 'silent' })
    const words = Array.from({ length: 500 }, (_, index) => `word${index}`).join(' ')
    server.onMessage('Tell', { content: words }, { latency: 20 })
    const env = { ANTHROPIC_API_KEY: 'test', ANTHROPIC_BASE_URL: await server.start() }
    try {
      const killed = start(['--database', 'killed.db'], env)
      killed.child.stdin?.write('Tell me everything\n')
      await killed.shows('word3')
      killed.child.kill('SIGKILL')
      await killed.exited

      server.clearFixtures()
      server.onMessage('Tell', { content: 'In short: all is well.' })
      const { shown } = await session(['/history'], ['--database', 'killed.db'], env)
      expect(shown).toContain('In short: all is well.')
      expect(shown.match(/^you: Tell me everything$/gm)).toHaveLength(1)
      expect(shown).toContain('assistant: In short: all is well.')
      expect(shown).not.toContain('word3')
    } finally {
      await server.stop()
    }
  })
})

describe('with one model and then another', () => {
  it('goes on with what was said and done, and back again', async () => {
    const server = new LLMock({ port: 0, logLevel: 'silent' })
    server.on({ userMessage: 'Bob', hasToolResult: false }, { toolCalls: [{ name: 'list_tasks', arguments: {} }] })
    server.on({ userMessage: 'Bob', hasToolResult: true }, { content: 'Bob orders the windows.' })
    server.onMessage('sure', { content: 'Quite sure.' })
    server.onMessage('Thanks', { content: 'You are welcome.' })
    const url = await server.start()
    const claude = { ANTHROPIC_API_KEY: 'test', ANTHROPIC_BASE_URL: url }
    const local = { OPENAI_BASE_URL: `${url}/v1` }
    const database = ['--database', 'moving.db']
    try {
      const first = await session(['What does Bob do?'], database, claude)
      expect(first.shown).toContain('Bob orders the windows.')

      const second = await session(['Are you sure?'], [...database, '--model', 'qwen3'], local)
      expect(second.shown).toContain('The model is qwen3 of the server that OPENAI_BASE_URL names.')
      expect(second.shown).toContain('Quite sure.')
      expect(server.getLastRequest()).toMatchObject({ path: '/v1/chat/completions', body: { model: 'qwen3' } })
      const messages = ['system', 'user', 'assistant', 'tool', 'assistant', 'user'].map((role) => ({ role }))
      expect(server.getLastRequest()?.body).toMatchObject({ messages })

      const third = await session(['Thanks'], database, claude)
      expect(third.shown).toContain('You are welcome.')
      expect(server.getLastRequest()?.path).toBe('/v1/messages')
      expect(JSON.stringify(server.getLastRequest()?.body)).toContain('Quite sure.')
    } finally {
      await server.stop()
    }
  })
})

describe('what cannot be used is told in a sentence', () => {
  it.each([
    ['a file that is no database', 'text.db', 'is not a SQLite database'],
    ['a folder', 'folder', 'it must be a file, in a folder that is there'],
    ['a place where nothing can be written', '/proc/kanban.db', 'it must be a file, in a folder that is there'],
  ])('%s', async (_, path, problem) => {
    await writeFile(
      join(folder, 'text.db'),
      'This is a text, and a long one, so that it cannot be taken for anything else.',
    )
    await mkdir(join(folder, 'folder'), { recursive: true })
    const { code, shown } = await session([], ['--database', path])
    expect(code).toBe(1)
    expect(shown).toContain(problem)
    expect(shown.trim().split('\n')).toHaveLength(1)
  })

  it.each(['', 'much', '-1', 'Infinity'])('a budget of "%s"', async (amount) => {
    const { code, shown } = await session([], ['--database', 'budget.db', `--usd-per-day=${amount}`])
    expect(code).toBe(1)
    expect(shown).toBe('--usd-per-day is an amount in US dollars, such as 2.50.\n')
  })

  it('a server without the name of a model', async () => {
    const env = { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }
    const { code, shown } = await session([], ['--database', 'server.db'], env)
    expect(code).toBe(1)
    expect(shown).toBe('OPENAI_BASE_URL names a server; say which of its models to use, with --model <name>.\n')
  })

  it('a server that does not answer', async () => {
    const gone = new LLMock({ port: 0, logLevel: 'silent' })
    const env = { OPENAI_BASE_URL: await gone.start() }
    await gone.stop()
    const { shown } = await session(['Hello'], ['--database', 'gone.db', '--model', 'qwen3'], env)
    expect(shown).toContain('Nothing answers at the base URL')
  })

  it.each([
    ['an address that is none', { OPENAI_BASE_URL: 'localhost:11434', OPENAI_API_KEY: 'sk-secret' }, 'baseURL'],
    ['a key with a space in it', { OPENAI_API_KEY: 'sk-secret key' }, 'apiKey'],
  ])('%s', async (name, env, setting) => {
    const { shown } = await session(['Hello'], ['--database', `${name}.db`, '--model', 'qwen3'], env)
    expect(shown).toContain(setting)
    expect(shown).not.toContain('sk-secret')
    expect(shown).not.toContain('    at ')
  })

  it('an option that does not exist', async () => {
    const { code, shown } = await session([], ['--databse', 'x.db'])
    expect(code).toBe(1)
    expect(shown).toContain("Unknown option '--databse'")
    expect(shown).not.toContain('    at ')
  })
})
