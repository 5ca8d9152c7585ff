import { PassThrough } from 'node:stream'
import { scriptedProvider } from '@orra/conformance'
import { createRuntime, defineTool, memoryStore, Namespace, OrraError, priceTable } from '@orra/core'
import { describe, expect, it } from 'vitest'
import { bob, ESCAPE, openTerminal, piped } from '../test/open-terminal.ts'
import type { TerminalCommands } from './commands.ts'
import { printable } from './screen.ts'
import { terminalChannel } from './terminal-channel.ts'

const alice = Namespace.of('member', 'alice')

const look = defineTool({ name: 'look', description: 'Looks.', readOnly: true, execute: () => 'seen' })
const fail = defineTool({
  name: 'fail',
  description: 'Fails.',
  execute: (_, { progress }) => {
    progress('half way')
    throw new Error('No such thing.')
  },
})

describe('with piped input', () => {
  it('answers each line in order, in plain text, and ends with the input', async () => {
    const shown = await piped(['Hello', '', '  And you?  '], ['Hi Bob.', 'Fine.'])
    expect(shown).toBe('Welcome.\nHi Bob.\nFine.\n')
  })

  it('takes a last line without an end', async () => {
    const terminal = openTerminal(['Hi.'])
    terminal.press('Hello')
    terminal.end()
    await terminal.served
    expect(terminal.screen()).toBe('Welcome.\nHi.\n')
  })

  it('shows tools as they start, come along and end', async () => {
    const steps = [
      { text: 'One moment.', toolCalls: [{ name: 'look' }] },
      { toolCalls: [{ name: 'fail', input: { why: 'x'.repeat(200) } }] },
      'Done.',
    ]
    const shown = await piped(['Go'], steps, { tools: [look, fail] })
    expect(shown.replace(/\d+ ms/, 'N ms').split('\n')).toEqual([
      'Welcome.',
      'One moment.',
      '→ look {}',
      '✓ look (N ms)',
      expect.stringMatching(/^→ fail \{"why":"x{92}…$/),
      '  fail: half way',
      '✗ fail: No such thing.',
      'Done.',
      '',
    ])
  })

  it('lets nobody write to the terminal but in text', async () => {
    const hostile = `a${ESCAPE}[2Jb${ESCAPE}]0;title\u0007c\u009b1md\re\tf`
    expect(await piped(['Hi'], [hostile])).toBe('Welcome.\na[2Jb]0;titlec1mde\tf\n')
    expect(printable('line\nline')).toBe('line\nline')
  })

  it('says what failed in a sentence, without a stack, and goes on', async () => {
    const error = new OrraError('provider.unavailable', 'Overloaded; try again.', { details: { provider: 'scripted' } })
    const shown = await piped(['One', 'Two'], [{ error }, 'Here.'])
    expect(shown).toBe('Welcome.\nOverloaded; try again.\nSending the message again may help.\nHere.\n')
  })

  it('says why a run ended early', async () => {
    const deny = { beforeModelCall: () => ({ deny: 'Not at night.' }) }
    expect(await piped(['Hi'], [], { hooks: [deny] })).toContain('Not at night.')
    const limits = { member: { limits: { toolCallsPerRun: 1 } } }
    const twice = { toolCalls: [{ name: 'look' }, { name: 'look' }] }
    expect(await piped(['Go'], [twice], { tools: [look], policies: limits })).toContain(
      'A run may call tools 1 times here.',
    )
    expect(await piped(['Hi'], [{ text: 'And so', stopReason: 'length' }])).toContain(
      'And so\n(the reply reached its limit)',
    )
  })

  it('stops when nobody reads any more, and bears with what fails after', async () => {
    const terminal = openTerminal([{ text: 'Hi', after: new Promise(() => {}) }])
    terminal.press('Hello\n')
    await terminal.shows('Hi')
    terminal.output.destroy(new Error('EPIPE'))
    await terminal.served
    terminal.output.emit('error', new Error('EPIPE again'))
  })
})

describe('commands', () => {
  it('list themselves, show the conversation, its cost and what was sent', async () => {
    const shown = await piped(
      ['/history', '/context', 'Hello', '/history', '/usage', '/context', '/help'],
      ['Hi Bob.'],
      {
        commands: { dance: { argument: '<how>', description: 'dances', run: () => {} } },
      },
    )
    for (const text of [
      'Nothing has been said yet.',
      'you: Hello\nassistant: Hi Bob.',
      'Today: 1 run, 10 tokens in and 5 out\n',
      '  of 1 model call nobody knows the price',
      'Context: about ',
      '  nothing is left out',
      'tokens, and was 10, 0 % of them from the cache',
      '/dance <how>       dances',
      '/quit              leave',
    ]) {
      expect(shown).toContain(text)
    }
  })

  it('/usage tells of models, tools, what the cache saved and what it cost', async () => {
    const usage = { inputTokens: 1000, outputTokens: 100, cacheReadTokens: 400, cacheWriteTokens: 200 }
    const steps = [
      { toolCalls: [{ name: 'look' }, { name: 'look' }], usage },
      { text: 'Seen.', usage },
    ]
    const prices = priceTable({ '*': { input: 1, output: 5 } })
    const shown = await piped(['Look', '/usage'], steps, { tools: [look], prices })
    expect(shown).toContain(
      [
        'Today: 1 run, 2000 tokens in and 200 out, $0.003',
        '  of the input, 800 (40 %) were read from the cache and 400 written to it',
        '  scripted-1: 2 calls, 2000 tokens in and 200 out, $0.003',
        '  look: 2 calls',
        '',
      ].join('\n'),
    )
  })

  it('of the application get their argument, and may change who speaks', async () => {
    const commands: TerminalCommands = {
      as: {
        description: 'speak as somebody else',
        run({ become, print, namespace }, name) {
          print(`${namespace.key} becomes ${name}.`)
          become(Namespace.of('member', name))
        },
      },
    }
    const store = memoryStore()
    const shown = await piped(['One', '/as alice', 'Two', '/history'], ['To Bob.', 'To Alice.'], { commands, store })
    expect(shown).toBe('Welcome.\nTo Bob.\nmember:bob becomes alice.\nTo Alice.\nyou: Two\nassistant: To Alice.\n')
  })

  it('that fail or do not exist are told', async () => {
    const commands: TerminalCommands = {
      break: {
        description: 'breaks',
        run: () => {
          throw new Error('It broke.')
        },
      },
    }
    expect(await piped(['/break', '/nope', '/constructor', 'Hi'], ['Still here.'], { commands })).toBe(
      'Welcome.\nIt broke.\nThere is no command /nope; /help lists them.\nThere is no command /constructor; /help lists them.\nStill here.\n',
    )
  })

  it('/quit leaves at once', async () => {
    expect(await piped(['/quit', 'Hello'], [])).toBe('Welcome.\n')
  })
})

describe('on a TTY', () => {
  it('prompts with the name of whoever speaks', async () => {
    const terminal = openTerminal(['Hi.'], { tty: true })
    await terminal.shows('bob> ')
    terminal.press('Hello\r')
    await terminal.shows('Hi.')
    terminal.press('\u0004')
    await terminal.served
  })

  it('Ctrl-C stops the run and not the program; pressed again it leaves', async () => {
    const terminal = openTerminal([{ text: 'Once upon a time', after: new Promise(() => {}) }, 'Fine.'], { tty: true })
    await terminal.shows('bob> ')
    terminal.press('Tell\r')
    await terminal.shows('time')
    terminal.press('\u0003')
    await terminal.shows('(stopped)')
    terminal.press('Never mind\r')
    await terminal.shows('Fine.')
    terminal.press('\u0003')
    await terminal.shows('Press Ctrl-C once more to leave.')
    terminal.press('\u0003')
    await terminal.served
    expect(terminal.provider.openStreams).toBe(0)
  })

  it('Ctrl-C twice during a run leaves', async () => {
    const terminal = openTerminal([{ text: 'Once', after: new Promise(() => {}) }], { tty: true })
    await terminal.shows('bob> ')
    terminal.press('Tell\r')
    await terminal.shows('Once')
    terminal.press('\u0003\u0003')
    await terminal.served
    expect(await terminal.orra.session(bob).messages()).toHaveLength(2)
  })

  it('Ctrl-C forgets what was typed ahead', async () => {
    const terminal = openTerminal([{ text: 'Once', after: new Promise(() => {}) }, 'Fine.'], { tty: true })
    await terminal.shows('bob> ')
    terminal.press('Tell\rtwo\rthree\r')
    await terminal.shows('Once')
    terminal.press('\u0003')
    await terminal.shows('(stopped)')
    terminal.press('four\r')
    await terminal.shows('Fine.')
    terminal.press('\u0004')
    await terminal.served
    expect(JSON.stringify(terminal.provider.requests)).not.toMatch(/two|three/)
  })

  it('Ctrl-D during a run answers what was typed before it, and leaves', async () => {
    const go = Promise.withResolvers<void>()
    const terminal = openTerminal([{ text: 'Once', after: go.promise }, 'Twice.'], { tty: true })
    await terminal.shows('bob> ')
    terminal.press('one\rtwo\r')
    await terminal.shows('Once')
    terminal.press('\u0004')
    go.resolve()
    await terminal.served
    expect(terminal.screen()).toContain('Twice.')
  })

  it('leaves nothing behind on the process', async () => {
    const before = process.listenerCount('SIGINT')
    const terminal = openTerminal([], { tty: true })
    await terminal.shows('bob> ')
    expect(process.listenerCount('SIGINT')).toBe(before + 1)
    terminal.press('\u0004')
    await terminal.served
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})

describe('a conversation that was left open', () => {
  it('is finished before anything new is said', async () => {
    const store = memoryStore()
    const content = [{ type: 'text', text: 'Earlier' }] as const
    for (const namespace of [bob, alice])
      await store.sessions.append(namespace, [{ type: 'input', key: 'k', message: { role: 'user', content } }])
    const commands: TerminalCommands = { as: { description: '', run: ({ become }) => become(alice) } }
    const shown = await piped(['Now', '/as', 'Now'], ['Late to Bob.', 'Bob.', 'Late to Alice.', 'Alice.'], {
      store,
      commands,
    })
    expect(shown).toBe('Welcome.\nLate to Bob.\nBob.\nLate to Alice.\nAlice.\n')
  })
})

describe('the signal', () => {
  it('ends the channel', async () => {
    const stop = new AbortController()
    const input = new PassThrough()
    const served = terminalChannel({ namespace: bob, input, output: new PassThrough() }).serve(
      createRuntime({ provider: scriptedProvider([]) }),
      { signal: stop.signal },
    )
    stop.abort()
    await served
  })
})
