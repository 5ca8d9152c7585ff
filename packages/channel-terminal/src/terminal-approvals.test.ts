import type { ScriptStep } from '@orra/conformance'
import { scriptedProvider } from '@orra/conformance'
import { approvals, createRuntime, defineTool, delegateToAgent, memoryStore, Namespace, type Store } from '@orra/core'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { bob, openTerminal, piped, type TerminalOptions } from '../test/open-terminal.ts'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const QUESTION = 'approve remove {"id":1}? [y/N]'
const LEFT = 'Nothing was decided; it waits. /approvals shows it as number 1.'
const call = (...ids: number[]) => ({ toolCalls: ids.map((id) => ({ name: 'remove', input: { id } })) })

/** A tool that needs an approval, and what it did. */
function removal(): { readonly removed: unknown[]; readonly options: TerminalOptions & { readonly store: Store } } {
  const removed: unknown[] = []
  const remove = defineTool({
    name: 'remove',
    description: 'Removes.',
    input: { type: 'object' },
    destructive: true,
    execute: (input) => `removed ${removed.push(input)}`,
  })
  return { removed, options: { tools: [remove], approvals: { suspend: true }, store: memoryStore() } }
}

describe('an approval, with piped input', () => {
  it.each(['y', 'YES', ' yes '])('is given by %j, and the rest is shown', async (yes) => {
    const { removed, options } = removal()
    const shown = await piped(['Remove it', yes, 'And you?'], [call(1), 'Done.', 'Fine.'], options)
    expect(removed).toEqual([{ id: 1 }])
    expect(shown.replace(/\d+ ms/, 'N ms').split('\n')).toEqual([
      'Welcome.',
      '→ remove {"id":1}',
      '? remove {"id":1} needs an approval',
      QUESTION,
      '→ remove {"id":1}',
      '✓ remove (N ms)',
      'Done.',
      'Fine.',
      '',
    ])
  })

  it.each(['n', 'No', ''])('is refused by %j', async (no) => {
    const { removed, options } = removal()
    const shown = await piped(['Remove it', no, 'And you?'], [call(1), 'So not.', 'Fine.'], options)
    expect(removed).toEqual([])
    expect(shown).toContain('✗ remove: It was not approved.\nSo not.\nFine.\n')
  })

  it('is refused by the next message, which is answered then', async () => {
    const { removed, options } = removal()
    const shown = await piped(['Remove both', 'yes please'], [call(1, 2), 'So not.', 'Welcome.'], options)
    expect(removed).toEqual([])
    expect(shown.match(/✗ remove: It was not approved/g)).toHaveLength(2)
    expect(shown).toMatch(/So not\.\nWelcome\.\n$/)
  })

  it('is given by nothing but a yes', async () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('yy', 'yes!', 'ye s', 'y.', 'ja', 'true', '1', 'ok', 'ｙ', 'yeſ'),
    )
    const line = word.filter((text) => !/[\r\n\u2028\u2029]/.test(text) && !text.trim().startsWith('/'))
    await fc.assert(
      fc.asyncProperty(line, async (text) => {
        fc.pre(!/^(?:y|yes)$/i.test(text.trim()))
        const { removed, options } = removal()
        await piped(['Remove it', text], [call(1), 'So not.', 'Fine.'], options)
        expect(removed).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('is asked for again after a command, and call by call', async () => {
    const { removed, options } = removal()
    const lines = ['Remove both', '/approvals', 'y', 'n', '/approvals']
    const shown = await piped(lines, [call(1, 2), 'Done.'], options)
    expect(removed).toEqual([{ id: 1 }])
    expect(shown).toMatch(/1\. remove \{"id":1\}\n {3}asked for by the tool remove; refused if nobody decides until \d/)
    expect(shown.split(QUESTION)).toHaveLength(3)
    expect(shown.split('approve remove {"id":2}? [y/N]')).toHaveLength(2)
    expect(shown).toMatch(/Done\.\nNothing waits for an approval here\.\n$/)
  })

  it.each([
    ['the end of the input', []],
    ['/quit', ['/quit']],
  ])('waits over %s, for the next start', async (_, lines) => {
    const { removed, options } = removal()
    const before = await piped(['Remove it', ...lines], [call(1)], options)
    expect(before).toMatch(new RegExp(`${LEFT.replaceAll('.', '\\.')}\n$`))
    const after = await piped(['y'], ['Done.'], options)
    expect(after).toMatch(/^Welcome\.\n→ remove \{"id":1\}\napprove remove \{"id":1\}\? \[y\/N\]\n(?:.*\n)*Done\.\n$/)
    expect(removed).toEqual([{ id: 1 }])
  })

  it('shows whoever decides the whole input, and nothing invisible in it', async () => {
    const { options } = removal()
    const input = { note: `${'x'.repeat(150)}\u202eyes`, huge: 'z'.repeat(5000) }
    const shown = await piped(['Remove it', 'n'], [{ toolCalls: [{ name: 'remove', input }] }, 'So not.'], options)
    expect(shown).toMatch(/x{150}\\u\{202e\}yes/)
    expect(shown).toMatch(/… and \d+ more characters that are not shown\n/)
    expect(shown).not.toContain('\u202e')
  })

  it('of another’s answer is not awaited, and the messages are not sent', async () => {
    const { removed, options } = removal()
    const named = { ...options, approvals: { suspend: true, deciders: () => ['admin'] } }
    const shown = await piped(['Remove it', 'Hello?', '/approvals', '/approve 1'], [call(1)], named)
    expect(removed).toEqual([])
    expect(shown).toContain('(waits for an approval; /approvals shows what is to be approved)')
    expect(shown).toContain('Your message was not sent: an approval comes first.')
    expect(shown).toContain('may be decided by admin')
    expect(shown).toContain('This namespace may not decide here')
    expect(shown).not.toContain('[y/N]')
  })

  it('that a hook gives is told', async () => {
    const { removed, options } = removal()
    const hook = approvals({
      ask: ({ input }) => ({ approved: (input as { id: number }).id === 1, reason: 'One only.' }),
    })
    const shown = await piped(['Remove both'], [call(1, 2), 'Done.'], { ...options, hooks: [hook] })
    expect(shown).toContain('  remove was approved: One only.\n')
    expect(shown).toContain('  remove was refused: One only.\n')
    expect(removed).toEqual([{ id: 1 }])
  })
})

describe('commands for approvals', () => {
  const waiting = async (...ids: number[]) => {
    const made = removal()
    await piped(['Remove it'], [call(...ids)], made.options)
    return made
  }

  it('decide by number', async () => {
    const { removed, options } = await waiting(1, 2, 3)
    const lines = ['/approve 2', '/deny 1', '/approve 4', '/approve', '/approve 2', '/approve 3']
    const shown = await piped(lines, ['Done.'], options)
    expect(removed).toEqual([{ id: 2 }, { id: 3 }])
    expect(shown.match(/No call of this number waits here/g)).toHaveLength(3)
    expect(shown).toMatch(/Done\.\n$/)
  })

  it('list and decide for those below, and leave their work to them', async () => {
    const { removed, options } = await waiting(1)
    const member = Namespace.of('member')
    const commands = { up: { description: '', run: ({ become }: { become(to: Namespace): void }) => become(member) } }
    const shown = await piped(['/up', '/approve 1'], [], { ...options, commands })
    expect(shown).toContain('Decided. Its run goes on wherever it is worked on.')
    expect(removed).toEqual([])
    await using orra = createRuntime({ provider: scriptedProvider(['Done.']), ...options })
    await orra.resume(bob)
    expect(removed).toEqual([{ id: 1 }])
  })

  it('do not let a neighbour decide', async () => {
    const { removed, options } = await waiting(1)
    const alice = Namespace.of('member', 'alice')
    const commands = { as: { description: '', run: ({ become }: { become(to: Namespace): void }) => become(alice) } }
    const shown = await piped(['/as', '/approvals', '/approve 1', 'y'], ['Hello.'], { ...options, commands })
    expect(shown).toContain('Nothing waits for an approval here.')
    expect(shown).toContain('No call of this number waits here')
    expect(shown).toMatch(/Hello\.\n$/)
    expect(removed).toEqual([])
  })
})

describe('an approval, on a TTY', () => {
  const asked = async (steps: readonly ScriptStep[], typed = 'Remove it\r') => {
    const made = removal()
    const terminal = openTerminal(steps, { ...made.options, tty: true })
    await terminal.shows('bob> ')
    terminal.press(typed)
    await terminal.shows(`${QUESTION} `)
    return { ...made, ...terminal }
  }

  it('is asked for at the prompt', async () => {
    const { press, shows, served, removed } = await asked([call(1), 'Done.'])
    press('y\r')
    await shows('Done.')
    press(CTRL_D)
    await served
    expect(removed).toEqual([{ id: 1 }])
  })

  it('is not given by what was typed before it was asked for', async () => {
    const go = Promise.withResolvers<void>()
    const made = removal()
    const steps = [{ ...call(1), text: 'Once', after: go.promise }, 'So not.', 'Yes what?']
    const { press, shows, served } = openTerminal(steps, { ...made.options, tty: true })
    await shows('bob> ')
    press('Remove it\r')
    await shows('Once')
    press('y\r')
    go.resolve()
    await shows(`${QUESTION} `)
    press('n\r')
    await shows('Yes what?')
    press(CTRL_D)
    await served
    expect(made.removed).toEqual([])
  })

  it('is left open by Ctrl-C, and asked for again before the next message', async () => {
    const { press, shows, screen, served, removed } = await asked([call(1), 'So not.', 'Fine.'])
    press(CTRL_C)
    await shows(LEFT)
    await shows('Press Ctrl-C once more to leave.')
    press('Hello\r')
    await shows('Your message was not sent: an approval comes first.')
    await vi.waitUntil(() => screen().split(`${QUESTION} `).length === 3)
    press('n\r')
    await shows('So not.')
    press('Hello\r')
    await shows('Fine.')
    press(CTRL_D)
    await served
    expect(removed).toEqual([])
  })

  it.each([
    ['Ctrl-C twice', CTRL_C + CTRL_C],
    ['Ctrl-D', CTRL_D],
  ])('is not given by %s', async (_, keys) => {
    const { press, served, removed, orra } = await asked([call(1)])
    press(keys)
    await served
    expect(removed).toEqual([])
    const waiting = []
    for await (const { callId } of orra.approvals(bob)) waiting.push(callId)
    expect(waiting).toHaveLength(1)
  })

  it('that was decided elsewhere meanwhile is told as such', async () => {
    const { press, shows, served, orra, removed } = await asked([call(1), 'So not.', 'Fine.'])
    for await (const { callId } of orra.approvals(bob)) await orra.decide(bob, callId, { approved: false, by: bob })
    press('y\r')
    await shows('Nothing waits for this decision')
    press('Hello\r')
    await shows('Fine.')
    press(CTRL_D)
    await served
    expect(removed).toEqual([])
  })
})

describe('sub-agents', () => {
  const helper = { name: 'helper', description: 'Helps.' }
  const ask = { toolCalls: [{ name: 'delegate_to_agent', input: { agent: 'helper', message: 'Remove it' } }] }

  it('have lines of their own, under their name', async () => {
    const options = { agents: [helper], tools: [delegateToAgent([helper])] }
    const shown = await piped(['Help', '/history'], [{ ...ask, text: 'A moment.' }, 'One.\nTwo.', 'All done.'], options)
    expect(
      shown
        .replace(/\d+ ms/, 'N ms')
        .split('\n')
        .slice(1, 7),
    ).toEqual([
      'A moment.',
      '→ delegate_to_agent {"agent":"helper","message":"Remove it"}',
      '  helper | One.',
      '  helper | Two.',
      '✓ delegate_to_agent (N ms)',
      'All done.',
    ])
  })

  it('do not mix with one another', async () => {
    const others = ['one', 'two'].map((name) => ({ name }))
    const both = others.map(({ name: agent }) => ({ name: 'delegate_to_agent', input: { agent, message: agent } }))
    const answer: ScriptStep = ({ messages }) => ({
      text: `${JSON.stringify(messages).includes('"one"') ? 'un' : 'deux'} `.repeat(20),
    })
    const options = { agents: others, tools: [delegateToAgent(others)] }
    const shown = await piped(['Go'], [{ toolCalls: both }, answer, answer, 'Done.'], options)
    expect(shown).toMatch(/^ {2}one \| (?:un ){20}$/m)
    expect(shown).toMatch(/^ {2}two \| (?:deux ){20}$/m)
  })

  it('ask the speaker of their caller', async () => {
    const { removed, options } = removal()
    const team = { ...options, agents: [helper], tools: [...(options.tools ?? []), delegateToAgent([helper])] }
    const shown = await piped(['Help', 'y'], [ask, call(1), 'It is removed.', 'All done.'], team)
    expect(shown).toContain('  helper | ? remove {"id":1} needs an approval\n')
    expect(shown).toContain(`approve helper's remove {"id":1}? [y/N]\n`)
    expect(shown).toContain('  helper | It is removed.\n')
    expect(shown).toMatch(/All done\.\n$/)
    expect(removed).toEqual([{ id: 1 }])
  })

  it('answer a line that calls them by name', async () => {
    const team = { agents: [helper], callable: ['helper'] }
    const terminal = openTerminal(['At your service.', 'Hi.'], team)
    terminal.press('@helper hello\n@nobody hello\n')
    terminal.end()
    await terminal.served
    const [called, other] = terminal.provider.requests
    expect(called?.instructions).toContain('You are helper.')
    expect(other?.instructions).toBeUndefined()
  })
})
