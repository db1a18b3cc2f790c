import { buildBareRequest, type HostileRequest } from './requests.ts'

/** The name and value of a valid session cookie, and the value of the cookie of a sign-in in flight. */
type SealedCookies = { readonly name: string; readonly session: string; readonly flow: string }

/** The ciphertext and nonce of a cookie. */
const decodeCookie = (cookie: string): Buffer[] =>
  decodeURIComponent(cookie)
    .split(';')
    .map(part => Buffer.from(part, 'base64'))
const encodeCookie = (parts: readonly Buffer[]): string => encodeURIComponent(parts.map(part => part.toString('base64')).join(';'))

function flipBit(bytes: Buffer, bit: number): Buffer {
  const altered = Buffer.from(bytes)
  altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
  return altered
}

/** Values of a `Cookie` header, made from valid cookies, that must not authenticate. */
function forgeCookies({ name, session, flow }: SealedCookies): Array<[title: string, line: string]> {
  const [sealed = Buffer.of(), nonce = Buffer.of()] = decodeCookie(session)
  const bits = (bytes: Buffer) => Array.from({ length: bytes.length }, (_, byte) => byte * 8 + (byte % 8))
  const values: Array<[string, string]> = [
    ...bits(sealed).map((bit): [string, string] => [`bit ${bit} flipped`, encodeCookie([flipBit(sealed, bit), nonce])]),
    ...bits(nonce).map((bit): [string, string] => [`bit ${bit} of the nonce flipped`, encodeCookie([sealed, flipBit(nonce, bit)])]),
    ...Array.from({ length: 24 }, (_, i): [string, string] => [
      `truncated at ${i}/24`,
      session.slice(0, Math.floor((session.length * i) / 24))
    ]),
    ['the flow’s cookie', flow],
    ['the flow’s nonce', encodeCookie([sealed, decodeCookie(flow)[1] ?? nonce])],
    ['its parts swapped', encodeCookie([nonce, sealed])],
    ['no nonce', encodeCookie([sealed])],
    ['an empty nonce', encodeCookie([sealed, Buffer.alloc(0)])],
    ['a nonce of zeros', encodeCookie([sealed, Buffer.alloc(nonce.length)])],
    ['an empty ciphertext', encodeCookie([Buffer.alloc(16), nonce])],
    ['the ciphertext twice', encodeCookie([Buffer.concat([sealed, sealed]), nonce])],
    ['encoded twice', encodeURIComponent(session)],
    ['reversed', [...session].reverse().join('')],
    ['another part in front', encodeCookie([Buffer.of(0), sealed, nonce])],
    ['JSON', encodeURIComponent('{"owner":"x","id":"x"}')],
    ['__proto__', '__proto__'],
    ['a percent sign', '%'],
    ['malformed encodings', '%zz%;%'],
    ['a semicolon', '%3B'],
    ['two semicolons', '%3B%3B'],
    ['NULs', '%00%3B%00'],
    ['invalid UTF-8', '%ff%fe%3B%ff'],
    ['Latin-1', '\xe9\xff;\xe9'],
    ['3,000 characters', 'A'.repeat(3000)],
    ['3,000 semicolons', '%3B'.repeat(3000)],
    ['an empty value', '']
  ]
  return [
    ...values.map(([title, value]): [string, string] => [title, `${name}=${value}`]),
    ...[
      name.replace('g', 'G'),
      name.toUpperCase(),
      `${name}2`,
      `__Host-${name}`,
      `$${name}`,
      `${name}[]`,
      `${name}%00`,
      'session',
      `${name}-signin`,
      '__proto__'
    ].map((other): [string, string] => [`the name ${other}`, `${other}=${session}`]),
    ['a forged cookie first', `${name}=x; ${name}=${session}`],
    ['no name', session],
    ['no value', name],
    ['an equals sign first', `=${name}=${session}`],
    ['a thousand other cookies', Array.from({ length: 1000 }, (_, i) => `c${i}=${i}`).join('; ')],
    ['hundreds of flow cookies', Array.from({ length: 250 }, (_, i) => `${name}-signin-${i}=x%3By`).join('; ')]
  ]
}

const rejected = { status: 401, code: 'connection_required' } as const

export function forgedSessions(sealed: SealedCookies): HostileRequest[] {
  return forgeCookies(sealed).map(([title, line]) => ({
    title: `a session cookie: ${title}`,
    bytes: buildBareRequest({}, () => ['X-CSRF: 1', `Cookie: ${line}`]),
    ...rejected
  }))
}

/** Callbacks of a sign-in in flight in this browser, with a state that is not its own. */
export function forgedStates({ flow }: SealedCookies, flowName: string, state: string): HostileRequest[] {
  const swapped = [...state].map(c => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('')
  const states = [
    ...Array.from({ length: state.length }, (_, i) => state.slice(0, i)),
    ...Array.from(state, (c, i) => `${state.slice(0, i)}${c === 'A' ? 'B' : 'A'}${state.slice(i + 1)}`),
    ...['%00', '%20', '%0a', '=', 'A', '/', '%2e', ','].flatMap(extra => [state + extra, extra + state]),
    ...['undefined', 'null', 'true', '0', '*', '__proto__', swapped, state + state, [...state].reverse().join('')]
  ].map(other => `state=${other}`)
  const queries = [
    ...states,
    '',
    `State=${state}`,
    `state[]=${state}`,
    `state=${state}&state=${state}`,
    `state=x&state=${state}`,
    `state=${state}&code=d`,
    `state=${state}&error=a&error=b`,
    `state=${state}&iss=https://evil.example`,
    `state=${state}&iss=x&iss=x`
  ]
  return queries.map(query => ({
    title: `a callback with ${query}`,
    bytes: buildBareRequest({ target: `/auth/productboard/callback?code=c&${query}` }, () => [`Cookie: ${flowName}=${flow}`]),
    status: 400,
    code: 'state_invalid'
  }))
}

/** Forged flow cookies: a callback with one of them has no sign-in to compare its state with. */
export function forgedFlows({ session, flow }: SealedCookies, flowName: string, state: string): HostileRequest[] {
  return forgeCookies({ name: flowName, session: flow, flow: session })
    .filter(([title]) => !title.startsWith('the name') && title !== 'a forged cookie first')
    .map(([title, line]) => ({
      title: `a flow cookie: ${title}`,
      bytes: buildBareRequest({ target: `/auth/productboard/callback?code=c&state=${state}` }, () => [`Cookie: ${line}`]),
      status: 400,
      code: 'state_invalid'
    }))
}
