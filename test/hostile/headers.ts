import { strippedRequestHeaders } from '../support/stripped-headers.ts'
import { buildRequest, type Follower, type RequestBytes } from './requests.ts'

/** A valid request with a header that must be stripped. The header's value contains `forged`. */
export type HeaderRequest = { readonly title: string; readonly bytes: RequestBytes; readonly after?: Follower }

const forgedValue = 'forged'

/** The exact spellings mean something to the gateway, the look-alikes to servers behind it. */
const lookAlikesOnly = ['Content-Length', 'Transfer-Encoding', 'X-CSRF', 'Sec-Fetch-Site', 'Access-Control-Request-Private-Network']

const upperSnake = (name: string): string => name.replaceAll('-', '_').toUpperCase()
const lookAlikes = (name: string): string[] => [name.replaceAll('-', '_'), name.replace('-', '_'), upperSnake(name)]
const spellingsOf = (name: string): string[] => [name, name.toLowerCase(), name.toUpperCase(), ...lookAlikes(name)]

const distinct = (list: readonly string[]): string[] => [...new Set(list)]

const reservedNames = [
  'authorization',
  'Authorization',
  'AUTHORIZATION',
  'authorization, Authorization',
  'host',
  'content-length',
  'cookie',
  'x-csrf',
  'transfer-encoding',
  'connection'
]

export const strippedHeaders: readonly HeaderRequest[] = [
  ...strippedRequestHeaders.flatMap(name =>
    distinct(spellingsOf(name)).map(spelling => ({ title: spelling, bytes: buildRequest({ lines: [`${spelling}: ${forgedValue}`] }) }))
  ),
  ...lookAlikesOnly.flatMap(name =>
    distinct(lookAlikes(name))
      .filter(spelling => spelling.includes('_'))
      .map(spelling => ({ title: spelling, bytes: buildRequest({ lines: [`${spelling}: ${forgedValue}`] }) }))
  ),
  // The client's Host has no influence on where a request goes.
  ...['forged', 'forged:80', 'forged.example', 'FORGED', 'forged:', '127.0.0.1', '[::1]:80', ''].map(host => ({
    title: `Host: ${host}`,
    bytes: buildRequest({ host: `Host: ${host}\r\n` })
  })),
  ...['authorization', 'Authorization', 'AUTHORIZATION'].map(name => ({
    title: `${name}, twice`,
    bytes: buildRequest({ lines: [`${name}: ${forgedValue}`, `${name}: Bearer ${forgedValue}`] })
  })),
  // RFC 9110 §7.6.1: headers that Connection names are stripped, but never the gateway's own.
  ...reservedNames.flatMap(name =>
    [`${name}`, `keep-alive, ${name}`, `close, ${name}`, `${name},${name}`, `\t${name} `].map(value => ({
      title: `Connection: ${value}`,
      bytes: buildRequest({ method: 'POST', lines: [`Connection: ${value}`, 'Content-Length: 5'], body: 'hello' }),
      ...(value.startsWith('close') && { after: 'nothing' as const })
    }))
  ),
  ...['X-Hop', 'x_hop', 'x-hop'].map(name => ({
    title: `Connection naming ${name}`,
    bytes: buildRequest({ lines: [`Connection: keep-alive, ${name}`, `X-Hop: ${forgedValue}`, `X_HOP: ${forgedValue}`] })
  })),
  { title: 'an upgrade request', bytes: buildRequest({ lines: ['Connection: Upgrade, close', 'Upgrade: forged'] }), after: 'nothing' },
  {
    title: 'an upgrade request to h2c',
    bytes: buildRequest({ lines: ['Connection: Upgrade, HTTP2-Settings, close', 'Upgrade: h2c', 'HTTP2-Settings: forged'] }),
    after: 'nothing'
  },
  { title: 'Expect', bytes: buildRequest({ lines: ['Expect: 100-continue, forged', 'Connection: close'] }), after: 'nothing' },
  {
    title: 'Authorization in a trailer',
    bytes: buildRequest({
      method: 'POST',
      lines: ['Transfer-Encoding: chunked', 'Trailer: Authorization'],
      body: `5\r\nhello\r\n0\r\nAuthorization: ${forgedValue}\r\n\r\n`
    })
  }
]

/** Unusual valid headers (RFC 9110 §5.5), with the value that must arrive. */
export const unusualHeaders: ReadonlyArray<readonly [name: string, value: string]> = [
  ['X-Tab', 'a\tb'],
  ['X-Latin', 'caf\xe9 \xff'],
  ['X-Empty', ''],
  ['X_Under', 'y'],
  ['x-Mixed-CASE', 'Y'],
  ["!#$%&'*+-.^`|~", 'every character that is valid in a name'],
  ['0', 'digits'],
  ['X-Quoted', '"a, b";q="\\""'],
  ['X-Long', 'a'.repeat(8000)],
  ['X-Authorization', 'Bearer of another name'],
  ['Authorization-Info', 'x'],
  ['X-Forwarded', 'not a name that servers trust'],
  ['Accept', 'text/html;q=0.9, */*'],
  ['Accept-Encoding', 'identity;q=1, *;q=0'],
  ['If-None-Match', 'W/"a", "b"'],
  ['Range', 'bytes=0-'],
  ['Content-Type', 'application/json; charset=utf-8\t; x=y'],
  ['X-Colon', ':a:b:'],
  ['X-Percent', '%0d%0aX-Injected: y']
]
