import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { Test } from 'tap'

export type Proxy = {
  url: string
  /** Resolves when the next connection has come in. */
  connected(): Promise<unknown>
  /** Connections that come in from now on wait at the door until the answer is called. */
  closeDoor(): () => void
  /** Breaks every connection. */
  cut(): void
}

/** Stands between a store and its Redis, and breaks or delays connections when a test says so. */
export async function startProxy(t: Test, port: number): Promise<Proxy> {
  const connections = new Set<Socket>()
  let door = Promise.resolve()
  const proxy: Server = createServer(async client => {
    connections.add(client)
    await door
    const server = connect(port, '127.0.0.1')
    pipeline(client, server, client, () => undefined)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())

  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    connected: () => once(proxy, 'connection'),
    closeDoor: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      door = promise
      return resolve
    },
    cut: () => {
      for (const connection of connections) connection.destroy()
      connections.clear()
    }
  }
}
