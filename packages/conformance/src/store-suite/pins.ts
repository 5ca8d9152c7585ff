import type { MessagePinnedEntry } from '@orra/core'
import { expect } from 'vitest'
import { talked } from './compactions.ts'
import { alice, bob, entriesOf, input, pinned, unpinned } from './entries.ts'
import { hostileTexts } from './hostile.ts'
import type { Scenario } from './scenario.ts'

/** What is said to be sent with every call, and no longer. */
export function pinScenarios(scenario: Scenario): void {
  scenario('needs no lease, and changes of the head nothing but its length', async ({ sessions }) => {
    const id = await talked(sessions, ['a'])
    const before = await sessions.head(bob)
    const { seqs, written, head } = await sessions.append(bob, [pinned(id, 3), unpinned(id, 3)])
    expect({ seqs, written }).toEqual({ seqs: [5, 6], written: 2 })
    expect(head).toEqual({ ...before, length: 6, updatedAt: expect.any(Number) })
  })

  scenario('comes back as it was', async ({ sessions }) => {
    const id = await talked(sessions, ['a'])
    const said = hostileTexts.map((text) => ({ type: 'text', text }) as const)
    const image = { type: 'image', mediaType: 'image/png', data: 'aGVsbG8=' } as const
    const call = { type: 'tool-call', callId: 'x', name: 'look', input: { deep: [null, 0.1] } } as const
    const pins: readonly MessagePinnedEntry[] = [
      { ...pinned(id, 3), message: { role: 'user', content: [...said, image] } },
      { ...pinned(id, 4), message: { role: 'assistant', content: [...said, call] } },
    ]
    const entries = [...pins, unpinned(id, 3)]
    await sessions.append(bob, entries)
    expect(entriesOf(await sessions.read(bob, { after: 4 }))).toEqual(entries)
  })

  scenario('is of the session that it names, or is left out', async ({ sessions }) => {
    const nobodys = [pinned('none', 1), unpinned('none', 1)]
    expect(await sessions.append(bob, nobodys)).toMatchObject({ seqs: [0, 0], written: 0 })
    expect(await sessions.head(bob)).toBeUndefined()
    const id = await talked(sessions, ['a'])
    await sessions.append(alice, [input('hers')])
    expect(await sessions.append(alice, [pinned(id, 1), unpinned(id, 1)])).toMatchObject({ seqs: [0, 0], written: 0 })
    await sessions.delete(bob)
    const anew = await talked(sessions, ['a'])
    const entries = [pinned(id, 3), pinned(anew, 3), unpinned(id, 3), unpinned(anew, 3)]
    expect((await sessions.append(bob, entries)).seqs).toEqual([0, 5, 0, 6])
  })

  scenario('is let go as often as that is said', async ({ sessions }) => {
    const id = await talked(sessions, ['a'])
    for (const seq of [3, 3, 1000]) {
      expect(await sessions.append(bob, [unpinned(id, seq)])).toMatchObject({ written: 1 })
    }
  })
}
