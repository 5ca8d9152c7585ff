import { createHash } from 'node:crypto'
import type { Pool, PoolClient, QueryConfig } from 'pg'
import { isSilence, toConnectError, toStoreError } from './postgres-error.ts'
import type { Sql } from './sql.ts'

export interface ConnectionsOptions {
  readonly pool: Pool
  /** Host, port and database, for messages. */
  readonly target: string
  /** How long to wait for a connection, and for each answer. */
  readonly timeoutMs: number
  /** Whether statements are prepared, once a connection, by a name. */
  readonly named: boolean
}

/** What the driver is asked on connections of a pool, never waiting without end. Throws `store.unusable`. */
export interface Connections {
  /** One statement on any connection. */
  readonly run: <Row>(statement: Sql) => Promise<readonly Row[]>
  /** `work` between `begin` and COMMIT, or undone; both are statements without values. */
  readonly between: <T>(begin: string, work: (on: PoolClient) => Promise<T>) => Promise<T>
  readonly runOn: <Row>(client: PoolClient, statement: Sql) => Promise<readonly Row[]>
}

export function connectionsOf({ pool, target, timeoutMs, named }: ConnectionsOptions): Connections {
  /** By text. There are few: each is made of the same pieces, and all that differs travels as values. */
  const names = new Map<string, string>()

  function nameOf(text: string): string {
    const name = names.get(text) ?? `orra_${createHash('sha256').update(text).digest('base64url')}`
    names.set(text, name)
    return name
  }

  async function take(): Promise<PoolClient> {
    const coming = pool.connect()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error('connection timeout')), timeoutMs)
    try {
      const client = await Promise.race([coming, late.promise])
      client.on('error', ignore)
      return client
    } catch (error) {
      // One that comes after all is for others.
      coming.then((client) => client.release(), ignore)
      throw toConnectError(error, target)
    } finally {
      clearTimeout(timer)
    }
  }

  function giveBack(client: PoolClient, broken: boolean): void {
    client.off('error', ignore)
    client.release(broken)
  }

  async function ask(client: PoolClient, query: QueryConfig) {
    const limited = { ...query, query_timeout: timeoutMs }
    try {
      return (await client.query(limited)).rows
    } catch (error) {
      throw toStoreError(error, target)
    }
  }

  async function runOn<Row>(client: PoolClient, { text, values }: Sql): Promise<readonly Row[]> {
    const types = { getTypeParser: () => asWritten }
    // What has no values is run once, when the tables are made.
    const name = named && values.length > 0 ? { name: nameOf(text) } : {}
    return (await ask(client, { text, values: [...values], types, ...name })) as Row[]
  }

  return {
    runOn,

    async run(statement) {
      const client = await take()
      let broken = true
      try {
        const rows = await runOn<never>(client, statement)
        broken = false
        return rows
      } finally {
        giveBack(client, broken)
      }
    },

    async between(begin, work) {
      const client = await take()
      let broken = true
      try {
        await ask(client, { text: begin })
        const result = await work(client)
        await ask(client, { text: 'COMMIT' })
        broken = false
        return result
      } catch (error) {
        const undone = () => true
        broken = isSilence(error) || !(await ask(client, { text: 'ROLLBACK' }).then(undone, ignore))
        throw error
      } finally {
        giveBack(client, broken)
      }
    },
  }
}

function asWritten(text: string): string {
  return text
}

function ignore(): void {}
