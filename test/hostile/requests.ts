/** Identifies a request: the `Cookie` pair of a signed-in session, and the id by which the provider recognizes the request. */
export type Sender = { readonly cookie: string; readonly caseId: string }

/** The bytes of a request, built for a sender. */
export type RequestBytes = (sender: Sender) => string

/**
 * Sent after a request that ends its connection: another request, which must not be read, or nothing. Requests without either share a
 * connection.
 */
export type Follower = 'smuggled' | 'nothing'

export type HostileRequest = {
  readonly title: string
  readonly bytes: RequestBytes
  readonly status: number
  /** The `Grantkeeper-Error` header; `undefined` if node:http responds before the gateway's own code runs. */
  readonly code: string | undefined
  readonly after?: Follower
}

export const base = '/proxy/productboard'

const senderLines = ({ cookie, caseId }: Sender): string => `X-CSRF: 1\r\nCookie: ${cookie}\r\nX-Case: ${caseId}\r\n`

type RequestParts = { method?: string; target?: string; version?: string; host?: string; lines?: readonly string[]; body?: string }

/** A valid request of a frontend, apart from the given parts. */
export const buildRequest =
  ({
    method = 'GET',
    target = `${base}/x`,
    version = 'HTTP/1.1',
    host = 'Host: x\r\n',
    lines = [],
    body = ''
  }: RequestParts): RequestBytes =>
  sender =>
    `${method} ${target} ${version}\r\n${host}${senderLines(sender)}${lines.map(line => `${line}\r\n`).join('')}\r\n${body}`

/** A request without `X-CSRF` and cookie: its header lines are those of `lines`, apart from Host and X-Case. */
export const buildBareRequest =
  ({ method = 'GET', target = `${base}/x` }: RequestParts, lines: (sender: Sender) => readonly string[]): RequestBytes =>
  sender =>
    `${method} ${target} HTTP/1.1\r\nHost: x\r\nX-Case: ${sender.caseId}\r\n${lines(sender)
      .map(line => `${line}\r\n`)
      .join('')}\r\n`
