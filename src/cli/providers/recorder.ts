import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Send } from '../../core/proxy/upstream.ts'

/** A request as the provider would receive it, without what only one connection is about. */
export type RecordedRequest = {
  readonly method: string
  readonly url: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type CannedResponse = { readonly status: number; readonly body: Buffer }

/** Plays every URL on loopback: it records each request, and sends one response to all. */
export type Recorder = {
  /** Where a client sends what is meant for `url`. */
  at(url: string): string
  /** The requests since the last call, as if they had gone to `url`. */
  take(url: string): RecordedRequest[]
  respondWith(response: CannedResponse): void
  close(): Promise<void>
}

/** Headers of a connection, or of a length that changes with the placeholders. */
const connectionHeaders = ['host', 'connection', 'content-length', 'transfer-encoding']

/** So that what is shown is what the gateway's own client sends, and what is read has come the same way. */
export async function openRecorder(): Promise<Recorder> {
  let requests: { method: string; target: string; headers: Record<string, string>; body: string }[] = []
  let response: CannedResponse = { status: 200, body: Buffer.from('{"access_token":"ACCESS_TOKEN"}') }
  const server = createServer(async (req, res) => {
    const body = (await buffer(req)).toString()
    const headers = Object.fromEntries(
      Object.entries(req.headers).flatMap(([name, value]) => (connectionHeaders.includes(name) ? [] : [[name, String(value)]]))
    )
    requests.push({ method: req.method ?? '', target: req.url ?? '', headers, body })
    res.writeHead(response.status, { 'content-type': 'application/json', connection: 'close' }).end(response.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    at(url) {
      const { pathname, search } = new URL(url)
      return `http://127.0.0.1:${port}${pathname}${search}`
    },
    take(url) {
      const taken = requests.map(({ method, target, ...rest }) => ({ method, url: new URL(url).origin + target, ...rest }))
      requests = []
      return taken
    },
    respondWith(next) {
      response = next
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

/** A `Send` that keeps what it should send. Its response is aborted: nothing is concluded from it. */
export function recordSend(): { readonly send: Send; readonly requests: RecordedRequest[] } {
  const requests: RecordedRequest[] = []
  return {
    requests,
    async send({ method, origin, path, headers }) {
      const names = headers.filter((_, i) => i % 2 === 0)
      const pairs = names.map((name, i) => [name, headers[2 * i + 1] ?? ''] as const)
      requests.push({ method, url: origin + path, headers: Object.fromEntries(pairs), body: '' })
      return { status: 200, headers: {}, peek: async () => undefined, pipeTo: async () => 'aborted', discard() {} }
    }
  }
}
