// A process of its own for the scenarios of several processes: opens the store, says that it is ready, and does its job
// when all the others are.
import type { JsonValue, Store } from '@orra/core'
import { JOBS, type Job } from './process-jobs.ts'

export interface Task {
  readonly module: string
  readonly argument: JsonValue
  readonly job: Job
  readonly child: number
}

const told: { tell?: (message: unknown) => void } = {}
const next = () => new Promise<unknown>((resolve) => Object.assign(told, { tell: resolve }))
process.on('message', (message) => told.tell?.(message))

try {
  const { module, argument, job, child } = (await next()) as Task
  const { default: open } = (await import(module)) as { default: (argument: JsonValue) => Store | Promise<Store> }
  await using store = await open(argument)
  const go = next()
  process.send?.('ready')
  await go
  process.send?.({ result: await JOBS[job](store, child) })
} catch (error) {
  process.send?.({ error: error instanceof Error ? error.message : String(error) })
}
process.disconnect()
