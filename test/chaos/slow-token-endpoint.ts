import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'

/** One token call, step by step. */
export type TokenCall = {
  readonly received: Promise<void>
  /** Lets the provider carry it out, whether or not the client is still there. Resolves when it has. */
  carryOut(): Promise<void>
  /** Lets the answer go to the client. */
  answer(): void
}

export type SlowTokenEndpoint = {
  readonly url: string
  /** The next token call stops at each step; all others pass. */
  next(): TokenCall
}

/** Stands before a provider's token endpoint, whose address is told later: to know it, the provider must run. */
export async function startSlowTokenEndpoint(t: Test, target: () => string): Promise<SlowTokenEndpoint> {
  const steps = () => Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  let slow: ReturnType<typeof steps> | undefined
  const server = createServer(async (request, response) => {
    const [received, mayGo, done, mayAnswer] = slow ?? []
    slow = undefined
    const body = await buffer(request)
    received?.resolve()
    await mayGo?.promise
    const { authorization, 'content-type': type = '' } = request.headers
    const headers = { 'content-type': type, ...(authorization !== undefined && { authorization }) }
    const answer = await fetch(target(), { method: 'POST', headers, body })
    const text = await answer.text()
    done?.resolve()
    await mayAnswer?.promise
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    next: () => {
      slow = steps()
      const [received, mayGo, done, mayAnswer] = slow
      return {
        received: received?.promise as Promise<void>,
        carryOut: () => {
          mayGo?.resolve()
          return done?.promise as Promise<void>
        },
        answer: () => mayAnswer?.resolve()
      }
    }
  }
}
