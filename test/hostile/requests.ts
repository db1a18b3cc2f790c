/** What makes a call that of the person who is signed in: a pair of the `Cookie` header; and known again where it arrives. */
export type Caller = { readonly cookie: string; readonly caseId: string }

/** The bytes of a request, made for a caller. */
export type Bytes = (caller: Caller) => string

/**
 * What is sent behind a request that ends its connection: another one, which nobody may read, or nothing. All that have neither
 * share a connection with others.
 */
export type After = 'smuggled' | 'nothing'

export type Hostile = {
  readonly what: string
  readonly bytes: Bytes
  readonly status: number
  /** Of the header `Grantkeeper-Error`; `undefined` where node:http answers before anything of ours is asked. */
  readonly code: string | undefined
  readonly after?: After
}

export const base = '/proxy/productboard'

const linesOf = ({ cookie, caseId }: Caller): string => `X-CSRF: 1\r\nCookie: ${cookie}\r\nX-Case: ${caseId}\r\n`

type Call = { method?: string; target?: string; version?: string; host?: string; lines?: readonly string[]; body?: string }

/** A call as a frontend makes it, but for what is given. */
export const call =
  ({ method = 'GET', target = `${base}/x`, version = 'HTTP/1.1', host = 'Host: x\r\n', lines = [], body = '' }: Call): Bytes =>
  caller =>
    `${method} ${target} ${version}\r\n${host}${linesOf(caller)}${lines.map(line => `${line}\r\n`).join('')}\r\n${body}`

/** A call without the header, cookie and case that `call` puts on: those of `lines` only. */
export const bareCall =
  ({ method = 'GET', target = `${base}/x` }: Call, lines: (caller: Caller) => readonly string[]): Bytes =>
  caller =>
    `${method} ${target} HTTP/1.1\r\nHost: x\r\nX-Case: ${caller.caseId}\r\n${lines(caller)
      .map(line => `${line}\r\n`)
      .join('')}\r\n`
