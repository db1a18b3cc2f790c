import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Send } from '../../core/proxy/upstream.ts'
import { placeholders } from './placeholders.ts'

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
  /** Where a client sends what is meant for `url`, which may be a template. */
  at(url: string): string
  /** The requests since the last call. */
  take(): RecordedRequest[]
  respondWith(response: CannedResponse): void
  close(): Promise<void>
}

/** Headers of a connection, or of a length that changes with the placeholders. */
const connectionHeaders = ['host', 'connection', 'content-length', 'transfer-encoding']

/** A client's assertion says when it was made, and is signed by a key of the trial. */
const assertion = /\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g

const withoutAssertion = (text: string): string => text.replaceAll(assertion, placeholders.clientAssertion)

/** Also within RFC 7617's encoding. */
function withoutAssertionInField(value: string): string {
  const [, credentials] = /^Basic (.+)$/.exec(value) ?? []
  if (credentials === undefined) return withoutAssertion(value)
  return `Basic ${Buffer.from(withoutAssertion(Buffer.from(credentials, 'base64').toString())).toString('base64')}`
}

/** So that what is shown is what the gateway's own client sends, and what is read has come the same way. */
export async function openRecorder(): Promise<Recorder> {
  let requests: RecordedRequest[] = []
  let response: CannedResponse = { status: 200, body: Buffer.from('{}') }
  const origins: string[] = []
  const server = createServer(async (req, res) => {
    const body = withoutAssertion((await buffer(req)).toString())
    const headers = Object.fromEntries(
      Object.entries(req.headers).flatMap(([name, value]) =>
        connectionHeaders.includes(name) ? [] : [[name, withoutAssertionInField(String(value))]]
      )
    )
    const [, index = '', rest = ''] = /^\/(\d+)(.*)$/s.exec(req.url ?? '') ?? []
    const url = (origins[Number(index)] ?? '') + withoutAssertion(rest)
    requests.push({ method: req.method ?? '', url, headers, body })
    res.writeHead(response.status, { 'content-type': 'application/json', connection: 'close' }).end(response.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    at(url) {
      const [, origin = '', rest = ''] = /^(https?:\/\/[^/?#]*)(.*)$/s.exec(url) ?? []
      if (!origins.includes(origin)) origins.push(origin)
      return `http://127.0.0.1:${port}/${origins.indexOf(origin)}${rest.startsWith('/') ? rest : `/${rest}`}`
    },
    take() {
      const taken = requests
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
    async send({ method, origin, path, headers, body }) {
      const names = headers.filter((_, i) => i % 2 === 0)
      const pairs = names.map((name, i) => [name, headers[2 * i + 1] ?? ''] as const)
      const content = Array.isArray(body) ? Buffer.concat(body).toString() : ''
      requests.push({ method, url: origin + path, headers: Object.fromEntries(pairs), body: content })
      return { status: 200, headers: {}, peek: async () => undefined, pipeTo: async () => 'aborted', discard() {} }
    }
  }
}
