// One owner of sessions in a storm: does what clients ask for and the work that nobody does, until it is ended or killed.
import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { createRuntime, isOrraError, Namespace } from '@orra/core'
import { openPlace } from './crash-stores.ts'
import { answeringModel, answeringTools } from './storm-model.ts'
import type { Order, Report, Task } from './storm-words.ts'

/** How long an effect takes after it was had, so that some are killed in the middle. */
const EFFECT_MS = 15

process.on('disconnect', () => process.exit())
process.once('message', (order: Order) => {
  if (order.type === 'begin') void serve(order.task)
})

async function serve({ place, effects, leaseTtlMs }: Task): Promise<void> {
  const store = await openPlace(place)
  const tools = answeringTools(async ({ callId }) => {
    appendFileSync(effects, `${callId}\n`)
    await pause(EFFECT_MS)
  })
  const orra = createRuntime({ provider: answeringModel(), store, tools, leaseTtlMs })
  const recovering = orra.recover({ pollMs: 100, onError: (error) => tell({ type: 'noticed', code: codeOf(error) }) })

  async function answer({ id, job, session, message }: Extract<Order, { type: 'ask' }>): Promise<void> {
    const namespace = Namespace.parse(session)
    try {
      if (job === 'run') {
        const { text } = await orra.run(namespace, message, { key: message })
        tell({ type: 'done', id, answer: text })
      } else {
        await orra.submit(namespace, message, { key: message })
        tell({ type: 'done', id })
      }
    } catch (error) {
      tell({ type: 'failed', id, code: codeOf(error) })
    }
  }

  async function end(): Promise<void> {
    await orra.close()
    await recovering.catch(() => {})
    await store[Symbol.asyncDispose]()
    process.disconnect()
  }

  process.on('message', (order: Order) => {
    if (order.type === 'ask') void answer(order)
    if (order.type === 'end') void end()
  })
  tell({ type: 'ready' })
}

function tell(report: Report): void {
  if (process.connected) process.send?.(report)
}

function codeOf(error: unknown): string {
  return isOrraError(error) ? error.code : String(error)
}
