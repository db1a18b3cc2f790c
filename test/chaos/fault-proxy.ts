import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export type Gate = {
  readonly url: string
  /** Lets through the next thing said to Redis that holds the text, and then nothing more, in either direction. Resolves there. */
  shutAfter(text: string): Promise<void>
  /** From now on nothing gets through. Resolves when something that holds the text has been held back. */
  shutBefore(text: string): Promise<void>
  open(): void
  /** Resolves as soon as something that holds the text goes through, before the answer to it does. */
  passing(text: string): Promise<void>
}

type Rule = { readonly text: string; readonly passes: boolean; readonly shuts: boolean; readonly met: PromiseWithResolvers<void> }

/** Stands between one instance and its Redis. What it holds back is lost: it is not for connections that shall go on. */
export async function startGate(t: Test, port: number): Promise<Gate> {
  const sockets = new Set<Socket>()
  let isShut = false
  let rule: Rule | undefined

  function forward(chunk: Buffer, to: Socket): void {
    const isMet = rule !== undefined && chunk.includes(rule.text)
    if (!isShut || (isMet && rule?.passes)) to.write(chunk)
    if (!isMet) return
    isShut = rule?.shuts === true
    rule?.met.resolve()
    rule = undefined
  }

  const server = createServer(client => {
    const redis = connect(port, '127.0.0.1')
    client.on('data', (chunk: Buffer) => forward(chunk, redis))
    redis.on('data', chunk => isShut || client.write(chunk))
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

  const shut = (text: string, passes: boolean): Promise<void> => {
    const met = Promise.withResolvers<void>()
    rule = { text, passes, shuts: true, met }
    isShut = !passes
    return met.promise
  }
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shutAfter: text => shut(text, true),
    shutBefore: text => shut(text, false),
    open: () => {
      isShut = false
      rule = undefined
    },
    passing: text => {
      const met = Promise.withResolvers<void>()
      rule = { text, passes: true, shuts: false, met }
      return met.promise
    }
  }
}
