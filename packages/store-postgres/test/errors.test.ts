import { type AddressInfo, createServer } from 'node:net'
import { isOrraError, Namespace, type OrraError } from '@orra/core'
import { postgresStore } from '@orra/store-postgres'
import { expect, it } from 'vitest'
import { describePostgres, scratchSchema } from '../../../test/services/postgres.ts'
import { administrator } from './admin.ts'

const bob = Namespace.of('bob')

/** What the first call of a store at this address throws. */
async function failureAt(url: string, schema = 'public'): Promise<OrraError> {
  await using store = postgresStore(url, { schema })
  const error = await store.sessions.head(bob).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!isOrraError(error)) throw new Error('It should have failed as orra does.', { cause: error })
  return error
}

function changed(url: string, change: Partial<Pick<URL, 'username' | 'password' | 'port' | 'pathname' | 'search'>>) {
  return Object.assign(new URL(url), change).href
}

await describePostgres('what fails says what to do', (url) => {
  it('when nothing listens there', async () => {
    const error = await failureAt(changed(url, { port: '1', username: 'bob', password: 'secret-word' }))
    expect(error).toMatchObject({ code: 'store.unusable', retryable: true })
    expect(error.message).toContain('nothing listens at this address')
    expect(error.message).not.toContain('secret-word')
  })

  it('when what listens there is not PostgreSQL, or has no TLS', async () => {
    const answers = [
      ['', undefined, 'is this a PostgreSQL server?', true],
      ['?sslmode=verify-full', 'N', 'the server has no TLS', false],
    ] as const
    for (const [search, answer, problem, retryable] of answers) {
      const server = createServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', () => (answer === undefined ? socket.destroy() : socket.end(answer)))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const error = await failureAt(changed(url, { port: `${port}`, search }))
      expect(error).toMatchObject({ retryable, message: expect.stringContaining(problem) })
      expect(error.message).not.toContain('not known')
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('when the user is refused', async () => {
    const error = await failureAt(changed(url, { username: 'orra_nobody', password: 'secret-word' }))
    expect(error).toMatchObject({ code: 'store.unusable', retryable: false })
    expect(error.message).toContain('refuses this user or its password')
    expect(error.message).not.toContain('secret-word')
  })

  it('when there is no such database', async () => {
    expect((await failureAt(changed(url, { pathname: '/orra_nowhere' }))).message).toContain('no such database')
  })

  it('when the user lacks a right', async () => {
    await using admin = await administrator(url)
    const user = `orra_test_${crypto.randomUUID().replaceAll('-', '')}`
    await admin.column(`CREATE ROLE ${user} LOGIN PASSWORD 'secret-word'`)
    try {
      const error = await failureAt(
        changed(url, { username: user, password: 'secret-word' }),
        scratchSchema(url).schema,
      )
      expect(error).toMatchObject({ code: 'store.unusable', retryable: false })
      expect(error.message).toContain('lacks a right')
    } finally {
      await admin.column(`DROP ROLE ${user}`)
    }
  })

  it('when the server takes no writes', async () => {
    const search = '?options=-c%20default_transaction_read_only%3Don'
    const error = await failureAt(changed(url, { search }), scratchSchema(url).schema)
    expect(error.message).toContain('give the address of the primary')
  })

  it('when the database cannot hold every character', async () => {
    await using admin = await administrator(url)
    const database = `orra_test_${crypto.randomUUID().replaceAll('-', '')}`
    await admin.column(`CREATE DATABASE ${database} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
    try {
      expect((await failureAt(changed(url, { pathname: `/${database}` }))).message).toContain('ENCODING UTF8')
    } finally {
      await admin.column(`DROP DATABASE ${database}`)
    }
  })

  it('when a newer version has written the tables', async () => {
    await using scratch = scratchSchema(url)
    const { schema } = scratch
    await using admin = await administrator(url)
    await postgresStore(url, { schema }).sessions.head(bob)
    await admin.column(`UPDATE "${schema}".orra_schema SET version = 99`)
    const error = await failureAt(url, schema)
    expect(error).toMatchObject({ code: 'store.newer-schema', details: { found: 99, supported: 1 } })
    expect(error.message).toContain('update the package')
    await admin.column(`UPDATE "${schema}".orra_schema SET version = 1`)
  })

  it('when its tables are gone', async () => {
    await using scratch = scratchSchema(url)
    const { schema } = scratch
    await using store = postgresStore(url, { schema })
    await store.sessions.head(bob)
    await scratch[Symbol.asyncDispose]()
    await expect(store.sessions.head(bob)).rejects.toThrow('start the process again')
  })

  it('when it was closed', async () => {
    await using scratch = scratchSchema(url)
    const store = postgresStore(url, scratch)
    const { notices } = store
    await store.sessions.head(bob)
    await store[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    const closed = (error: unknown) => isOrraError(error, 'store.unusable') && error.message.includes('open another')
    await expect(store.sessions.head(bob)).rejects.toSatisfy(closed)
    await expect(
      store.counters.reserve([{ namespace: bob, counter: 'c', window: 'w', amount: 1 }], { ttlMs: 1 }),
    ).rejects.toSatisfy(closed)
    await expect(notices.subscribe(bob, () => {})).rejects.toSatisfy(closed)
    notices.publish(bob, {})
  })

  it('when a page does not begin where a page ended', async () => {
    await using scratch = scratchSchema(url)
    await using store = postgresStore(url, scratch)
    for (const after of ['nothing', '[1]', '["a","b"]']) {
      for (const { list } of [store.records, store.counters]) {
        await expect(list({ after })).rejects.toSatisfy((error) => isOrraError(error, 'store.invalid'))
      }
    }
  })

  it('after which the same store works, once the cause is gone', async () => {
    await using scratch = scratchSchema(url)
    await using admin = await administrator(url)
    const { schema } = scratch
    await admin.column(`CREATE SCHEMA "${schema}"`)
    await admin.column(`CREATE TABLE "${schema}".orra_schema AS SELECT 99 AS version`)
    await using store = postgresStore(url, { schema })
    await expect(store.sessions.head(bob)).rejects.toThrow('update the package')
    await admin.column(`DROP TABLE "${schema}".orra_schema`)
    expect(await store.sessions.head(bob)).toBeUndefined()
  })
})

it('options that cannot be used are refused at once, and no password is repeated', () => {
  const url = 'postgres://bob:secret-word@127.0.0.1/app'
  const wrong = [
    [url, { prefix: 'a-b' }],
    [url, { prefix: 'x'.repeat(31) }],
    [url, { schema: 'a"b' }],
    [url, { poolSize: 0 }],
    [url, { timeoutMs: 0 }],
    [url, { listen: 'secret-word' }],
    [url, { tables: 'orra' }],
    ['bob:secret-word@127.0.0.1', {}],
    ['postgres://bob:secret-word@127.0.0.1:port/app', {}],
    [undefined, {}],
    [{}, {}],
  ] as const
  for (const [database, options] of wrong) {
    try {
      postgresStore(database as never, options as never)
      expect.unreachable()
    } catch (error) {
      expect(isOrraError(error, 'options.invalid') && error.message).not.toMatch(/secret-word|^false$/)
    }
  }
})
