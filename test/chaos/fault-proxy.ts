import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export type FaultProxy = {
  readonly url: string
  /** Forwards the next chunk to Redis that contains `text`, then blocks both directions and resolves. */
  blockAfter(text: string): Promise<void>
  /** Blocks both directions at once. Resolves when a chunk that contains `text` has been dropped. */
  blockBefore(text: string): Promise<void>
  unblock(): void
  /** Resolves when a chunk that contains `text` has been forwarded to Redis, before the reply. */
  forwarded(text: string): Promise<void>
}

type Rule = { readonly text: string; readonly forwards: boolean; readonly blocks: boolean; readonly matched: PromiseWithResolvers<void> }

/** A TCP proxy between one instance and Redis. It drops what it blocks, so its connections are unusable afterwards. */
export async function startFaultProxy(t: Test, port: number): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  let isBlocked = false
  let rule: Rule | undefined

  function forward(chunk: Buffer, to: Socket): void {
    const isMatch = rule !== undefined && chunk.includes(rule.text)
    if (!isBlocked || (isMatch && rule?.forwards)) to.write(chunk)
    if (!isMatch) return
    isBlocked = rule?.blocks === true
    rule?.matched.resolve()
    rule = undefined
  }

  const server = createServer(client => {
    const redis = connect(port, '127.0.0.1')
    client.on('data', (chunk: Buffer) => forward(chunk, redis))
    redis.on('data', chunk => isBlocked || client.write(chunk))
    for (const [socket, other] of [
      [client, redis],
      [redis, client]
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay()
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })

  const block = (text: string, forwards: boolean): Promise<void> => {
    const matched = Promise.withResolvers<void>()
    rule = { text, forwards, blocks: true, matched }
    isBlocked = !forwards
    return matched.promise
  }
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    blockAfter: text => block(text, true),
    blockBefore: text => block(text, false),
    unblock: () => {
      isBlocked = false
      rule = undefined
    },
    forwarded: text => {
      const matched = Promise.withResolvers<void>()
      rule = { text, forwards: true, blocks: false, matched }
      return matched.promise
    }
  }
}
