import { createSecretKey } from 'node:crypto'
import type { BearerConfig, JwtConfig, JwtKeys } from '../core/users/bearer-config.ts'
import { isServiceKeyName, type ServiceKeyEntry } from '../core/users/service-keys.ts'
import type { EnvironmentReader } from './environment.ts'
import { readRing } from './keys.ts'
import { readUrl } from './urls.ts'

type Mode = { readonly production: boolean }

const examples = {
  JWT_ISSUER: 'https://login.example.com',
  JWT_AUDIENCE: 'https://connect.example.com',
  JWT_JWKS_URL: 'https://login.example.com/.well-known/jwks.json',
  JWT_USER_CLAIM: 'sub',
  SERVICE_KEYS: 'nightly:"$(printf %s "$KEY" | openssl dgst -sha256 -r | cut -c1-64)"'
} as const

const exampleOf = (name: keyof typeof examples): string => `${name}=${examples[name]}`

const maxClaimCharacters = 255
/** Claims that all users of an issuer may share, or that differ from token to token (RFC 7519 §4.1). */
const noUserClaims = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti']

/** `JWT_…` and `SERVICE_KEYS`: every variable is read in every case, so that a misspelled one is found. */
export function readBearerConfig(env: EnvironmentReader, mode: Mode): BearerConfig {
  return Object.freeze({ jwt: readJwt(env, mode), serviceKeys: readServiceKeys(env) })
}

/** @returns `undefined` when no `JWT_…` is set, or with problems, which are noted */
function readJwt(env: EnvironmentReader, { production }: Mode): JwtConfig | undefined {
  const problemsBefore = env.problems.length
  const secrets = readRing(env, 'JWT_SECRETS', { mayBeLonger: true })
  // As it is set: Auth0's issuers end in a slash, others do not, and `iss` is compared as text.
  const issuer = env.text('JWT_ISSUER', examples.JWT_ISSUER)
  // Nothing is fetched from an application that signs with a secret: its name need not be a URL unless it has a colon (RFC 7519 §2).
  const isName = secrets !== undefined && issuer !== undefined && !issuer.includes(':')
  const issuerUrl = isName ? undefined : readUrl(env, 'JWT_ISSUER', { production, kind: 'base', example: examples.JWT_ISSUER })
  const audiences = env.list('JWT_AUDIENCE', examples.JWT_AUDIENCE)
  const jwks = readUrl(env, 'JWT_JWKS_URL', { production, kind: 'endpoint', example: examples.JWT_JWKS_URL })
  const hasJwksUrl = env.text('JWT_JWKS_URL') !== undefined
  const userClaim = env.text('JWT_USER_CLAIM', examples.JWT_USER_CLAIM)

  if (![issuer, audiences, userClaim, secrets].some(value => value !== undefined) && !hasJwksUrl) return undefined
  if (!audiences)
    env.addProblem(
      `JWT_AUDIENCE is missing: without it, tokens that the issuer made for other services would be accepted here. Set it to what your tokens have in "aud", for example ${exampleOf('JWT_AUDIENCE')}.`
    )
  if (issuer === undefined && !secrets)
    env.addProblem(`JWT_ISSUER is missing: it says whose bearer tokens are accepted, for example ${exampleOf('JWT_ISSUER')}.`)
  if (secrets && hasJwksUrl)
    env.addProblem(
      `JWT_SECRETS and JWT_JWKS_URL are both set: tokens are signed either with a secret or with an issuer's keys. Remove one of them, for example keep ${exampleOf('JWT_JWKS_URL')}.`
    )
  checkUserClaim(env, userClaim)
  if (!audiences || env.problems.length > problemsBefore) return undefined

  const keys: JwtKeys | undefined = secrets
    ? { kind: 'secrets', secrets: secrets.map(secret => createSecretKey(secret)) }
    : issuer !== undefined && issuerUrl
      ? {
          kind: 'issuer',
          issuer,
          jwksUrl: jwks?.href,
          trustedOrigins: [issuerUrl.url.origin, ...(jwks ? [jwks.url.origin] : [])]
        }
      : undefined
  return keys && Object.freeze({ issuer, audiences, userClaim: userClaim ?? 'sub', keys })
}

function checkUserClaim(env: EnvironmentReader, claim: string | undefined): void {
  if (claim === undefined) return
  const problem = noUserClaims.includes(claim)
    ? 'names a claim that does not tell users apart'
    : claim.length > maxClaimCharacters || /\p{Cc}/u.test(claim)
      ? `must be the name of a claim, of at most ${maxClaimCharacters} characters`
      : undefined
  if (problem !== undefined) env.addProblem(`JWT_USER_CLAIM ${problem}, for example ${exampleOf('JWT_USER_CLAIM')}.`)
}

/** `NAME:SHA-256 in hex`, or `NAME:HASH:token`. A problem has the number of its entry alone: an operator may have set the key itself. */
function readServiceKeys(env: EnvironmentReader): readonly ServiceKeyEntry[] {
  const items = env.list('SERVICE_KEYS', examples.SERVICE_KEYS) ?? []
  const entries: ServiceKeyEntry[] = []
  const hashes = new Set<string>()
  for (const [i, item] of items.entries()) {
    const [name = '', hex = '', right, ...rest] = item.split(':')
    const problem = !isServiceKeyName(name)
      ? 'must begin with a name of letters, digits, ".", "_" and "-" and a colon'
      : !/^[\da-f]{64}$/i.test(hex)
        ? 'must have the SHA-256 hash of the key after its name, 64 hexadecimal digits, and not the key itself'
        : (right !== undefined && right !== 'token') || rest.length > 0
          ? 'may have nothing but ":token" after its hash'
          : hashes.has(hex.toLowerCase())
            ? 'has the hash of another entry'
            : undefined
    if (problem !== undefined)
      env.addProblem(`SERVICE_KEYS: entry ${i + 1} of ${items.length} ${problem}, for example ${exampleOf('SERVICE_KEYS')}.`)
    else entries.push(Object.freeze({ name, hash: Buffer.from(hex, 'hex'), mayReadTokens: right === 'token' }))
    hashes.add(hex.toLowerCase())
  }
  return Object.freeze(entries)
}
