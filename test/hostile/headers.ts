import { stoppedNames } from '../support/stopped-names.ts'
import { type After, type Bytes, call } from './requests.ts'

/** A call that may go up, without the one header in it. Its value is `theirs`, by which it is known again. */
export type Stopped = { readonly what: string; readonly bytes: Bytes; readonly after?: After }

const theirs = 'theirs'

/** In their true spelling these mean something to the gateway; their look-alikes do so to servers behind it. */
const lookAlikesOnly = ['Content-Length', 'Transfer-Encoding', 'X-CSRF', 'Sec-Fetch-Site', 'Access-Control-Request-Private-Network']

const shoutedSnake = (name: string): string => name.replaceAll('-', '_').toUpperCase()
const lookAlikes = (name: string): string[] => [name.replaceAll('-', '_'), name.replace('-', '_'), shoutedSnake(name)]
const spellingsOf = (name: string): string[] => [name, name.toLowerCase(), name.toUpperCase(), ...lookAlikes(name)]

const distinct = (list: readonly string[]): string[] => [...new Set(list)]

const ours = [
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

export const stoppedHeaders: readonly Stopped[] = [
  ...stoppedNames.flatMap(name =>
    distinct(spellingsOf(name)).map(spelling => ({ what: spelling, bytes: call({ lines: [`${spelling}: ${theirs}`] }) }))
  ),
  ...lookAlikesOnly.flatMap(name =>
    distinct(lookAlikes(name))
      .filter(spelling => spelling.includes('_'))
      .map(spelling => ({ what: spelling, bytes: call({ lines: [`${spelling}: ${theirs}`] }) }))
  ),
  // Nothing else of a host takes part in where a call goes.
  ...['theirs', 'theirs:80', 'theirs.example', 'THEIRS', 'theirs:', '127.0.0.1', '[::1]:80', ''].map(host => ({
    what: `Host: ${host}`,
    bytes: call({ host: `Host: ${host}\r\n` })
  })),
  ...['authorization', 'Authorization', 'AUTHORIZATION'].map(name => ({
    what: `${name}, twice`,
    bytes: call({ lines: [`${name}: ${theirs}`, `${name}: Bearer ${theirs}`] })
  })),
  // RFC 9110 §7.6.1: what Connection names is for us, and ours is not theirs to name.
  ...ours.flatMap(name =>
    [`${name}`, `keep-alive, ${name}`, `close, ${name}`, `${name},${name}`, `\t${name} `].map(value => ({
      what: `Connection: ${value}`,
      bytes: call({ method: 'POST', lines: [`Connection: ${value}`, 'Content-Length: 5'], body: 'hello' }),
      ...(value.startsWith('close') && { after: 'nothing' as const })
    }))
  ),
  ...['X-Hop', 'x_hop', 'x-hop'].map(name => ({
    what: `Connection naming ${name}`,
    bytes: call({ lines: [`Connection: keep-alive, ${name}`, `X-Hop: ${theirs}`, `X_HOP: ${theirs}`] })
  })),
  { what: 'an upgrade', bytes: call({ lines: ['Connection: Upgrade, close', 'Upgrade: theirs'] }), after: 'nothing' },
  {
    what: 'an upgrade to h2c',
    bytes: call({ lines: ['Connection: Upgrade, HTTP2-Settings, close', 'Upgrade: h2c', 'HTTP2-Settings: theirs'] }),
    after: 'nothing'
  },
  { what: 'Expect', bytes: call({ lines: ['Expect: 100-continue, theirs', 'Connection: close'] }), after: 'nothing' },
  {
    what: 'Authorization in a trailer',
    bytes: call({
      method: 'POST',
      lines: ['Transfer-Encoding: chunked', 'Trailer: Authorization'],
      body: `5\r\nhello\r\n0\r\nAuthorization: ${theirs}\r\n\r\n`
    })
  }
]

/** Headers that are odd and allowed (RFC 9110 §5.5): name and value, as they must arrive. */
export const oddButGoodHeaders: ReadonlyArray<readonly [name: string, value: string]> = [
  ['X-Tab', 'a\tb'],
  ['X-Latin', 'caf\xe9 \xff'],
  ['X-Empty', ''],
  ['X_Under', 'y'],
  ['x-Mixed-CASE', 'Y'],
  ["!#$%&'*+-.^`|~", 'every character that a name may have'],
  ['0', 'digits'],
  ['X-Quoted', '"a, b";q="\\""'],
  ['X-Long', 'a'.repeat(8000)],
  ['X-Authorization', 'Bearer of another kind'],
  ['Authorization-Info', 'x'],
  ['X-Forwarded', 'not a name that anybody believes'],
  ['Accept', 'text/html;q=0.9, */*'],
  ['Accept-Encoding', 'identity;q=1, *;q=0'],
  ['If-None-Match', 'W/"a", "b"'],
  ['Range', 'bytes=0-'],
  ['Content-Type', 'application/json; charset=utf-8\t; x=y'],
  ['X-Colon', ':a:b:'],
  ['X-Percent', '%0d%0aX-Injected: y']
]
