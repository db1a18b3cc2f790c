import { bareCall, type Hostile } from './requests.ts'

/** What a good session's cookie is called, what it holds, and what that of a sign-in under way holds. */
type Sealed = { readonly name: string; readonly session: string; readonly flow: string }

/** The bytes behind a cookie: ciphertext and nonce. */
const partsOf = (cookie: string): Buffer[] =>
  decodeURIComponent(cookie)
    .split(';')
    .map(part => Buffer.from(part, 'base64'))
const cookieOf = (parts: readonly Buffer[]): string => encodeURIComponent(parts.map(part => part.toString('base64')).join(';'))

function flipped(bytes: Buffer, bit: number): Buffer {
  const altered = Buffer.from(bytes)
  altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
  return altered
}

/** Cookies made out of a good one that must not be a session: each a whole `Cookie` line's value. */
function forged({ name, session, flow }: Sealed): Array<[what: string, line: string]> {
  const [sealed = Buffer.of(), nonce = Buffer.of()] = partsOf(session)
  const bits = (bytes: Buffer) => Array.from({ length: bytes.length }, (_, byte) => byte * 8 + (byte % 8))
  const values: Array<[string, string]> = [
    ...bits(sealed).map((bit): [string, string] => [`bit ${bit} turned`, cookieOf([flipped(sealed, bit), nonce])]),
    ...bits(nonce).map((bit): [string, string] => [`bit ${bit} of the nonce turned`, cookieOf([sealed, flipped(nonce, bit)])]),
    ...Array.from({ length: 24 }, (_, i): [string, string] => [`cut at ${i}/24`, session.slice(0, Math.floor((session.length * i) / 24))]),
    ['the flow’s cookie', flow],
    ['the flow’s nonce', cookieOf([sealed, partsOf(flow)[1] ?? nonce])],
    ['its parts in the other order', cookieOf([nonce, sealed])],
    ['no nonce', cookieOf([sealed])],
    ['a nonce of nothing', cookieOf([sealed, Buffer.alloc(0)])],
    ['a nonce of zeros', cookieOf([sealed, Buffer.alloc(nonce.length)])],
    ['nothing sealed', cookieOf([Buffer.alloc(16), nonce])],
    ['half of it twice', cookieOf([Buffer.concat([sealed, sealed]), nonce])],
    ['not decoded', encodeURIComponent(session)],
    ['reversed', [...session].reverse().join('')],
    ['a part more before it', cookieOf([Buffer.of(0), sealed, nonce])],
    ['JSON', encodeURIComponent('{"owner":"x","id":"x"}')],
    ['__proto__', '__proto__'],
    ['a percent sign', '%'],
    ['malformed encodings', '%zz%;%'],
    ['a semicolon', '%3B'],
    ['two semicolons', '%3B%3B'],
    ['NULs', '%00%3B%00'],
    ['bytes that are no UTF-8', '%ff%fe%3B%ff'],
    ['Latin-1', '\xe9\xff;\xe9'],
    ['3,000 characters', 'A'.repeat(3000)],
    ['3,000 semicolons', '%3B'.repeat(3000)],
    ['nothing', '']
  ]
  return [
    ...values.map(([what, value]): [string, string] => [what, `${name}=${value}`]),
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
    ['a forged one first', `${name}=x; ${name}=${session}`],
    ['no name', session],
    ['no value', name],
    ['an equals sign first', `=${name}=${session}`],
    ['a thousand others', Array.from({ length: 1000 }, (_, i) => `c${i}=${i}`).join('; ')],
    ['hundreds of flows', Array.from({ length: 250 }, (_, i) => `${name}-signin-${i}=x%3By`).join('; ')]
  ]
}

const refused = { status: 401, code: 'connection_required' } as const

export function forgedSessions(sealed: Sealed): Hostile[] {
  return forged(sealed).map(([what, line]) => ({
    what: `a session cookie: ${what}`,
    bytes: bareCall({}, () => ['X-CSRF: 1', `Cookie: ${line}`]),
    ...refused
  }))
}

/** Answers to a sign-in that is under way in this browser, with a state that is not its own. */
export function forgedStates({ flow }: Sealed, flowName: string, state: string): Hostile[] {
  const swapped = [...state].map(c => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('')
  const states = [
    ...Array.from({ length: state.length }, (_, i) => state.slice(0, i)),
    ...Array.from(state, (c, i) => `${state.slice(0, i)}${c === 'A' ? 'B' : 'A'}${state.slice(i + 1)}`),
    ...['%00', '%20', '%0a', '=', 'A', '/', '%2e', ','].flatMap(more => [state + more, more + state]),
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
    what: `a callback with ${query}`,
    bytes: bareCall({ target: `/auth/productboard/callback?code=c&${query}` }, () => [`Cookie: ${flowName}=${flow}`]),
    status: 400,
    code: 'state_invalid'
  }))
}

/** The same for a sign-in under way: a callback with any of these has no state that it could be compared with. */
export function forgedFlows({ session, flow }: Sealed, flowName: string, state: string): Hostile[] {
  return forged({ name: flowName, session: flow, flow: session })
    .filter(([what]) => !what.startsWith('the name') && what !== 'a forged one first')
    .map(([what, line]) => ({
      what: `a sign-in’s cookie: ${what}`,
      bytes: bareCall({ target: `/auth/productboard/callback?code=c&state=${state}` }, () => [`Cookie: ${line}`]),
      status: 400,
      code: 'state_invalid'
    }))
}
