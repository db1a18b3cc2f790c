import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'

/** One token call, step by step. */
export type TokenRequest = {
  readonly received: Promise<void>
  /** Lets the provider carry it out, whether or not the client is still there. Resolves when it has. */
  forward(): Promise<void>
  /** Lets the answer go to the client. */
  respond(): void
}

export type SlowTokenEndpoint = {
  readonly url: string
  /** The next token call stops at each step; all others pass. */
  holdNext(): TokenRequest
}

/** Stands before a provider's token endpoint, whose address is told later: to know it, the provider must run. */
export async function startSlowTokenEndpoint(t: Test, target: () => string): Promise<SlowTokenEndpoint> {
  const createSteps = () => Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  let held: ReturnType<typeof createSteps> | undefined
  const server = createServer(async (request, response) => {
    const [received, mayGo, done, mayAnswer] = held ?? []
    held = undefined
    const body = await buffer(request)
    received?.resolve()
    await mayGo?.promise
    const { authorization, 'content-type': type = '' } = request.headers
    const headers = { 'content-type': type, ...(authorization !== undefined && { authorization }) }
    const upstream = await fetch(target(), { method: 'POST', headers, body })
    const text = await upstream.text()
    done?.resolve()
    await mayAnswer?.promise
    response.writeHead(upstream.status, { 'content-type': 'application/json' }).end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    holdNext: () => {
      held = createSteps()
      const [received, mayGo, done, mayAnswer] = held
      return {
        received: received?.promise as Promise<void>,
        forward: () => {
          mayGo?.resolve()
          return done?.promise as Promise<void>
        },
        respond: () => mayAnswer?.resolve()
      }
    }
  }
}
