import { linkAbort, untilAborted } from '../abort.ts'
import { OrraError } from '../errors.ts'
import type { Plugin, PluginHost } from './plugin.ts'

/** How long each plugin has to stop, in milliseconds. */
const STOP_MS = 10_000

/** What was opened, and is to be closed. */
export interface PluginLifetime {
  /**
   * Starts them one after the other, once: whoever asks again gets the same promise. When one fails, those before it are
   * stopped, `plugin.failed` is thrown, and who asks then has it tried anew. Once the host's signal has aborted, those that
   * were started are stopped and its reason is thrown.
   */
  start(host: PluginHost): Promise<void>
  /**
   * Stops those that were started, the last one first, and waits for a start that is going on. One that fails, or takes
   * longer than 10 seconds, keeps no other from being stopped; then `plugin.failed` is thrown, at the end.
   */
  stop(): Promise<void>
}

/** What one plugin threw. */
interface Failure {
  readonly plugin: string
  readonly error: unknown
}

interface Started {
  readonly plugin: string
  readonly stop: () => Promise<void>
}

export function pluginLifetime(plugins: readonly Plugin[]): PluginLifetime {
  const started: Started[] = []
  /** What could not be stopped when the runtime was closed during the start. */
  const unstopped: Failure[] = []
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  async function startAll(host: PluginHost): Promise<void> {
    for (const plugin of plugins) {
      try {
        host.signal.throwIfAborted()
        await startOne(plugin, host)
      } catch (error) {
        const failures = await stopAll()
        if (!host.signal.aborted) throw startFailure({ plugin: plugin.name, error }, failures)
        unstopped.push(...failures)
        throw host.signal.reason
      }
    }
  }

  async function startOne(plugin: Plugin, host: PluginHost): Promise<void> {
    const work = (async () => plugin.start?.(host))()
    // One that is still at it when the host closes is stopped once it is done; one that failed has nothing to stop.
    const stop = async () => {
      const isOpen = await work.then(
        () => true,
        () => false,
      )
      if (isOpen) await plugin.stop?.()
    }
    started.push({ plugin: plugin.name, stop })
    await untilAborted(work, host.signal)
  }

  async function stopAll(): Promise<readonly Failure[]> {
    const failures: Failure[] = []
    for (const each of started.splice(0).reverse()) {
      try {
        await stopInTime(each)
      } catch (error) {
        failures.push({ plugin: each.plugin, error })
      }
    }
    return failures
  }

  async function end(begun: Promise<void> | undefined): Promise<void> {
    // What kept it from starting was thrown to whoever started it.
    await begun?.catch(() => {})
    const failures = await stopAll()
    const [first, ...others] = [...unstopped.splice(0), ...failures]
    if (first) throw stopFailure(first, others)
  }

  return {
    start(host) {
      starting ??= startAll(host).catch((error: unknown) => {
        starting = undefined
        throw error
      })
      return starting
    },

    stop() {
      stopping ??= end(starting).finally(() => {
        starting = undefined
        stopping = undefined
      })
      return stopping
    },
  }
}

async function stopInTime({ plugin, stop }: Started): Promise<void> {
  using limit = linkAbort()
  const late = () => limit.abort(new Error(`The plugin "${plugin}" did not stop within ${STOP_MS / 1000} seconds.`))
  const timer = setTimeout(late, STOP_MS)
  try {
    await untilAborted(stop(), limit.signal)
  } finally {
    clearTimeout(timer)
  }
}

function startFailure({ plugin, error }: Failure, whileStopping: readonly Failure[]): OrraError<'plugin.failed'> {
  const message = `The plugin "${plugin}" could not be started; see the cause. Those started before it were stopped.`
  return failed(plugin, message, [error, ...whileStopping.map(({ error }) => error)])
}

function stopFailure({ plugin, error }: Failure, others: readonly Failure[]): OrraError<'plugin.failed'> {
  const names = [plugin, ...others.map((other) => other.plugin)].map((name) => `"${name}"`).join(', ')
  const message = `Not stopped as they should have been: the plugins ${names}; see the cause. All others were stopped.`
  return failed(plugin, message, [error, ...others.map(({ error }) => error)])
}

function failed(plugin: string, message: string, errors: readonly unknown[]): OrraError<'plugin.failed'> {
  const cause = errors.length > 1 ? new AggregateError(errors, 'Several things failed.') : errors[0]
  return new OrraError('plugin.failed', message, { details: { plugin }, cause })
}
