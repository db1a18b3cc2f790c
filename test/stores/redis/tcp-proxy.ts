import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { Test } from 'tap'

export type Proxy = {
  url: string
  /** Resolves when the next client has connected. */
  nextConnection(): Promise<unknown>
  /** Does not forward new connections until the returned function is called. */
  holdConnections(): () => void
  /** Breaks every connection. */
  breakConnections(): void
}

/** A proxy between a store and its Redis that can break and delay connections. */
export async function startProxy(t: Test, port: number): Promise<Proxy> {
  const connections = new Set<Socket>()
  let gate = Promise.resolve()
  const proxy: Server = createServer(async client => {
    connections.add(client)
    await gate
    const server = connect(port, '127.0.0.1')
    pipeline(client, server, client, () => undefined)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())

  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    nextConnection: () => once(proxy, 'connection'),
    holdConnections: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return resolve
    },
    breakConnections: () => {
      for (const connection of connections) connection.destroy()
      connections.clear()
    }
  }
}
