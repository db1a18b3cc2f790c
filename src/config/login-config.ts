import { Secret } from '../core/secret.ts'
import type { LoginConfig } from '../core/users/login-config.ts'
import { type EnvironmentReader, exampleOfFile } from './environment.ts'
import { readUrl } from './urls.ts'

const issuerExample = 'https://login.example.com'
const defaultScopes = 'openid profile email'
const wellKnown = '/.well-known/'
const maxMaxAgeSeconds = 365 * 24 * 3600

/**
 * `LOGIN_…`: the identity provider at which users sign in.
 * @returns `undefined` when no variable of it is set, or when there are problems, which the reader has collected
 */
export function readLoginConfig(env: EnvironmentReader, { production }: { readonly production: boolean }): LoginConfig | undefined {
  const problemsBefore = env.problems.length
  const issuer = readIssuer(env, production)
  const clientId = env.text('LOGIN_CLIENT_ID', 'abc123')
  const clientSecret = env.text('LOGIN_CLIENT_SECRET')
  const scopes = readWords(env, 'LOGIN_SCOPES', defaultScopes)
  const acrValues = readWords(env, 'LOGIN_ACR_VALUES', 'urn:example:mfa')
  const maxAgeSeconds = env.integer('LOGIN_MAX_AGE', { min: 0, max: maxMaxAgeSeconds, example: 3600 })
  const isOn = (name: string) => env.text(name) !== undefined
  const names = ['LOGIN_ISSUER', 'LOGIN_CLIENT_ID', 'LOGIN_CLIENT_SECRET', 'LOGIN_SCOPES', 'LOGIN_ACR_VALUES', 'LOGIN_MAX_AGE']
  const first = names.find(isOn)
  if (first === undefined) return undefined

  // A half-configured sign-in must not fall back to anonymous browsers.
  for (const name of ['LOGIN_ISSUER', 'LOGIN_CLIENT_ID']) {
    if (!isOn(name))
      env.addProblem(`${name} is missing: the sign-in of users needs it, and ${first} is set. Set it, for example ${env.exampleOf(name)}.`)
  }
  // RFC 6749 appendix A.1, A.2.
  for (const [name, value] of [
    ['LOGIN_CLIENT_ID', clientId],
    ['LOGIN_CLIENT_SECRET', clientSecret]
  ] as const) {
    if (value !== undefined && !/^[\x20-\x7e]+$/.test(value))
      env.addProblem(
        `${name} contains a character that is not printable ASCII. Copy it again, for example ${name === 'LOGIN_CLIENT_SECRET' ? exampleOfFile(name) : env.exampleOf(name)}.`
      )
  }
  if (scopes && !scopes.includes('openid'))
    env.addProblem(`LOGIN_SCOPES must contain openid, without which there is no id token, for example ${env.exampleOf('LOGIN_SCOPES')}.`)
  if (issuer === undefined || clientId === undefined || env.problems.length > problemsBefore) return undefined
  return {
    issuer,
    clientId,
    ...(clientSecret !== undefined && { clientSecret: new Secret(clientSecret) }),
    scopes: scopes ?? defaultScopes.split(' '),
    ...(acrValues && { acrValues }),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds })
  }
}

/** As it is written: the issuer's metadata and tokens are compared with it as a string (OpenID Connect Discovery §4.3). */
function readIssuer(env: EnvironmentReader, production: boolean): string | undefined {
  const url = readUrl(env, 'LOGIN_ISSUER', { production, kind: 'base', example: issuerExample })
  const text = env.text('LOGIN_ISSUER')
  if (!url || text === undefined) return undefined
  if (!text.includes(wellKnown)) return text
  env.addProblem(
    `LOGIN_ISSUER is the address of the issuer’s metadata. Leave out what begins with ${wellKnown}, for example ${env.exampleOf('LOGIN_ISSUER')}.`
  )
  return undefined
}

/** Separated by spaces or commas, each once. RFC 6749 §3.3: printable ASCII without quotation marks and backslashes. */
function readWords(env: EnvironmentReader, name: string, example: string): string[] | undefined {
  const words = env
    .text(name, example)
    ?.split(/[\s,]+/)
    .filter(word => word !== '')
  if (!words?.length) return undefined
  if (!words.every(word => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(word)))
    env.addProblem(`${name} must be words of printable ASCII, separated by spaces, for example ${env.exampleOf(name)}.`)
  return [...new Set(words)]
}
