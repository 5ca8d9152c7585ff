import { connect, createServer, type Server, type Socket } from 'node:net'

/** A way to the server that can be blocked. */
export interface Proxy extends AsyncDisposable {
  readonly url: string
  /** Takes the next request that holds `text` to the server, and breaks the connection instead of bringing the answer. */
  readonly cutAfter: (text: string) => void
  /** Takes whatever comes and brings nothing, on any connection, from the next request on that holds `text`. */
  readonly silenceAt: (text: string) => void
  /** Breaks all connections and takes no more. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

export async function proxyTo(target: string): Promise<Proxy> {
  const url = new URL(target)
  const sockets = new Set<Socket>()
  let server: Server
  let port = 0
  let cut: string | undefined
  let silenced: string | undefined
  let isSilent = false

  function serve(client: Socket): void {
    const upstream = connect({ port: Number(url.port || 5432), host: url.hostname, allowHalfOpen: true })
    let isCut = false
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('end', () => {
        if (!isSilent) to.end()
      })
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    client.on('data', (data) => {
      if (silenced !== undefined && data.includes(silenced)) isSilent = true
      if (isSilent) return
      if (cut !== undefined && data.includes(cut)) {
        cut = undefined
        isCut = true
      }
      upstream.write(data)
    })
    upstream.on('data', (data) => {
      // Now the server has done what was asked.
      if (isCut) client.destroy()
      else if (!isSilent) client.write(data)
    })
  }

  async function start(): Promise<void> {
    server = createServer({ allowHalfOpen: true }, serve)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const address = server.address()
    if (typeof address === 'object' && address) port = address.port
  }

  async function stop(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }

  await start()
  const own = new URL(target)
  own.hostname = '127.0.0.1'
  own.port = `${port}`
  return {
    url: own.href,
    cutAfter: (text) => {
      cut = text
    },
    silenceAt: (text) => {
      silenced = text
    },
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  }
}
