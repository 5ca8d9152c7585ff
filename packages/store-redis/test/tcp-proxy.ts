import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A way to a server that can be cut and blocked. */
export interface TcpProxy extends AsyncDisposable {
  readonly url: string
  /** Breaks all connections. */
  cut(): void
  /** Breaks all connections when the server next answers after `text` was sent: what was asked is done, but not known to be. */
  cutAfter(text: string): void
  /** From now on nothing is passed on, and no connection breaks, until `unblock`. */
  block(): void
  /** New connections pass; those from before stay dead. */
  unblock(): void
  connections(): number
}

export async function tcpProxy(url: string): Promise<TcpProxy> {
  const { hostname, port, username, password } = new URL(url)
  const sockets = new Set<Socket>()
  let blocked = false
  let cutting: string | undefined

  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((near) => {
    const far = connect(Number(port || 6379), hostname)
    let asked = false
    let dead = blocked
    const isDead = () => {
      dead ||= blocked
      return dead
    }
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    near.on('data', (data) => {
      asked ||= cutting !== undefined && data.includes(cutting)
      if (!isDead()) far.write(data)
    })
    far.on('data', (data) => {
      if (asked) {
        cutting = undefined
        cut()
      } else if (!isDead()) near.write(data)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const login = username || password ? `${username}:${password}@` : ''
  return {
    url: `redis://${login}127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    cut,
    cutAfter: (text) => {
      cutting = text
    },
    block: () => {
      blocked = true
    },
    unblock: () => {
      blocked = false
    },
    connections: () => sockets.size / 2,
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
