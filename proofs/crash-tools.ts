import { setTimeout as delay } from 'node:timers/promises'
import { defineTool, type JsonValue, type Store, spawnAgent, type Tool, type ToolContext } from '@orra/core'

/** What a payment costs, in cents. */
export const PRICE = 5

/** Longer than a third of the lease that `pnpm crash` chooses, so that it is renewed. */
const WHILE_MS = 90

/** A tool of every kind; those with effects leave a record that has the name of the call. */
export function crashTools({ sessions, records, counters }: Store): readonly Tool[] {
  const recordOf = ({ namespace, callId }: ToolContext, collection: string) => ({ collection, namespace, id: callId })

  return [
    defineTool({
      name: 'look_up',
      description: 'Looks up what is remembered.',
      readOnly: true,
      async execute(_, { namespace }) {
        await records.list({ collection: 'remember', namespace })
        return 'There is room.'
      },
    }),

    defineTool({
      name: 'remember',
      description: 'Remembers something; twice is as good as once.',
      idempotent: true,
      async execute(_, context) {
        await records.put(recordOf(context, 'remember'), 'a small room')
        return 'remembered'
      },
    }),

    defineTool({
      name: 'pay',
      description: 'Pays: nobody can find out afterwards whether it did.',
      async execute(_, context) {
        const claim = { namespace: context.namespace, counter: 'cents', window: 'all', amount: PRICE, limit: 1000 }
        const reservation = await counters.reserve([claim], { ttlMs: 60_000 })
        if (!reservation.granted) throw new Error('There is no money left.')
        context.progress('reserved')
        await records.put(recordOf(context, 'pay'), PRICE)
        await counters.settle(reservation.id, [PRICE])
        return 'paid'
      },
    }),

    defineTool({
      name: 'book',
      description: 'Books a room: a second time it would fail, but one can look.',
      async execute(_, context) {
        await records.put(recordOf(context, 'book'), 'room 1', { version: 0 })
        return 'booked room 1'
      },
      async reconcile(_, context) {
        const booking: JsonValue | undefined = (await records.get(recordOf(context, 'book')))?.value
        return booking === undefined ? undefined : `booked ${booking}`
      },
    }),

    defineTool({
      name: 'tear_down',
      description: 'Tears a room down: somebody must approve it, and nobody can find out afterwards whether it did.',
      input: { type: 'object', properties: { room: { type: 'string' } }, required: ['room'] },
      destructive: true,
      async execute({ room }, context) {
        await records.put(recordOf(context, 'tear_down'), room ?? null)
        return `The ${room} room is gone.`
      },
    }),

    spawnAgent(),

    defineTool({
      name: 'wait_for_word',
      description: 'Waits until something is said that is to join the run.',
      readOnly: true,
      async execute(_, { namespace, signal }) {
        await delay(WHILE_MS, undefined, { signal })
        for (;;) {
          const logged = await sessions.read(namespace)
          if (logged.some(({ entry }) => entry.type === 'input' && entry.whenBusy === 'steer')) return 'There is word.'
          await delay(5, undefined, { signal })
        }
      },
    }),

    defineTool({
      name: 'dawdle',
      description: 'Takes its time, until it is stopped.',
      readOnly: true,
      async execute(_, { signal }) {
        await delay(2000, undefined, { signal })
        return 'Nobody stopped it.'
      },
    }),
  ]
}
