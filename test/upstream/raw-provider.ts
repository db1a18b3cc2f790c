import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import type { Test } from 'tap'
import type { ResponseHead, UpstreamRequest } from '../../src/core/proxy/upstream.ts'
import { createLookup } from '../../src/upstream/lookup.ts'
import { openUpstream } from '../../src/upstream/send.ts'

/** A request whose head has arrived, and perhaps some of its body. */
export type RawRequest = { readonly socket: Socket; readonly text: string; readonly connection: number }

/**
 * A provider that says what no server library would: bytes of the test's, at a request's whole head.
 * @param onRequest called with each head that has come; connections are counted from 1
 */
export async function startRawProvider(t: Test, onRequest: (received: RawRequest) => void) {
  let connections = 0
  const server = createServer(socket => {
    const connection = ++connections
    let text = ''
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', chunk => {
      text += chunk
      if (!/\r\n\r\n/.test(text)) return
      const received = { socket, text, connection }
      text = ''
      onRequest(received)
    })
    t.teardown(() => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const upstream = openUpstream(createLookup({ production: false, providers: new Map() }))
  t.teardown(() => upstream.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  /** @returns head and body of the response */
  async function call(change: Partial<UpstreamRequest> = {}): Promise<ResponseHead & { body: string }> {
    const response = await upstream.send({
      provider: 'acme',
      origin,
      method: 'GET',
      path: '/',
      headers: [],
      body: undefined,
      bodyLength: undefined,
      timeoutMs: 5_000,
      signal: new AbortController().signal,
      ...change
    })
    const sink = new PassThrough()
    sink.on('error', () => {})
    const body = sink.toArray()
    body.catch(() => {})
    const outcome = await response.pipeTo(sink)
    if (outcome !== 'complete') throw new Error(`the response was ${outcome}`)
    const { status, headers } = response
    return { status, headers, body: Buffer.concat(await body).toString('latin1') }
  }

  return { call, connections: () => connections, origin, upstream }
}

export const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
