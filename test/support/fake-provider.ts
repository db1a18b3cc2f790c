import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: string[]
  readonly body: Buffer
}
type Handler = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void

export type FakeProvider = {
  readonly origin: string
  readonly environment: Readonly<Record<string, string>>
  /** Handlers of the token endpoint, the revocation endpoint and the API, which a test replaces. */
  token: Handler
  revoke: Handler
  api: Handler
  /** Called with an API request before its body is read. Returns true if it handles the request itself. */
  onHead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  readonly seen: { token: Seen[]; revoke: Seen[]; api: Seen[] }
}

export const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

let issued = 0
/** A token response (RFC 6749 §5.1) with new tokens each time. */
export const tokens = (change: Record<string, unknown> = {}): Record<string, unknown> => {
  issued++
  return { access_token: `access-${issued}`, refresh_token: `refresh-${issued}`, token_type: 'Bearer', expires_in: 3600, ...change }
}

/** A provider on a real socket. The test controls the bytes and the timing of each response, malformed ones too. */
export async function startFakeProvider(t: Test, name = 'PRODUCTBOARD'): Promise<FakeProvider> {
  const server = createServer((request, response) => {
    const area = /^\/(token|revoke)\b/.exec(request.url ?? '')?.[1] as 'token' | 'revoke' | undefined
    if (!area && fake.onHead?.(request, response)) return
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = request
      const seen = { method, url, headers, rawHeaders, body: Buffer.concat(chunks) }
      fake.seen[area ?? 'api'].push(seen)
      fake[area ?? 'api'](seen, response, request)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fake: FakeProvider = {
    origin,
    environment: {
      [`${name}_CLIENT_ID`]: 'client-1',
      [`${name}_CLIENT_SECRET`]: 'client-secret-canary',
      [`${name}_AUTHORIZE_URL`]: `${origin}/authorize`,
      [`${name}_TOKEN_URL`]: `${origin}/token`,
      [`${name}_REVOKE_URL`]: `${origin}/revoke`,
      [`${name}_API_URL`]: `${origin}/base`
    },
    token: (_seen, response) => json(response, 200, tokens()),
    revoke: (_seen, response) => void response.writeHead(200).end(),
    api: (seen, response) => json(response, 200, { url: seen.url }),
    onHead: undefined,
    seen: { token: [], revoke: [], api: [] }
  }
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return fake
}
