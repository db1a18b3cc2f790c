import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'

/** One token request that the test advances step by step. */
export type TokenRequest = {
  readonly received: Promise<void>
  /** Sends it to the provider, even if the client has disconnected. Resolves with the provider's response. */
  forward(): Promise<void>
  /** Sends the provider's response to the client. */
  respond(): void
}

export type SlowTokenEndpoint = {
  readonly url: string
  /** Holds the next token request at each step. All others pass straight through. */
  holdNext(): TokenRequest
}

/** A proxy in front of a token endpoint. `target` is a function because the provider's URL is known only once it runs. */
export async function startSlowTokenEndpoint(t: Test, target: () => string): Promise<SlowTokenEndpoint> {
  const createSteps = () => Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  let held: ReturnType<typeof createSteps> | undefined
  const server = createServer(async (request, response) => {
    const [received, mayForward, forwarded, mayRespond] = held ?? []
    held = undefined
    const body = await buffer(request)
    received?.resolve()
    await mayForward?.promise
    const { authorization, 'content-type': type = '' } = request.headers
    const headers = { 'content-type': type, ...(authorization !== undefined && { authorization }) }
    const upstream = await fetch(target(), { method: 'POST', headers, body })
    const text = await upstream.text()
    forwarded?.resolve()
    await mayRespond?.promise
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
      const [received, mayForward, forwarded, mayRespond] = held
      return {
        received: received?.promise as Promise<void>,
        forward: () => {
          mayForward?.resolve()
          return forwarded?.promise as Promise<void>
        },
        respond: () => mayRespond?.resolve()
      }
    }
  }
}
