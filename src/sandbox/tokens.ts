import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { AccountPointers, Provider, TokenResponseShape } from '../core/provider/definition.ts'
import { expand } from '../core/provider/template.ts'
import type { SandboxClient } from './client.ts'
import { buildDocument, type Entry } from './documents.ts'
import type { EndpointResponse } from './endpoint.ts'
import type { Facts } from './facts.ts'
import type { Grant, GrantStore } from './grant-store.ts'
import { stableHex } from './stable-id.ts'
import type { VendorState } from './state.ts'

type TokensOptions = {
  readonly definition: Provider
  readonly client: SandboxClient
  readonly facts: Facts
  readonly state: VendorState
  readonly store: GrantStore
  readonly issuer: string
}

type IssueOptions = {
  readonly shape: TokenResponseShape | undefined
  readonly hasRefreshToken?: boolean
  readonly isInterim?: boolean
}

/** How long a token lasts that is to be exchanged for another one. */
const interimSeconds = 3600

export type Tokens = {
  /** New tokens for a grant, in the vendor's shape. */
  issue(grant: Grant, options: IssueOptions): EndpointResponse
  /** How long a refresh token lasts since it was last used; `undefined` for ever. */
  readonly refreshSeconds: number | undefined
}

export function createTokens({ definition, client, facts, state, store, issuer }: TokensOptions): Tokens {
  const { switches } = state
  const { oauth2 } = definition.methods
  const { refreshTokenLifetime } = oauth2?.tokens ?? {}
  const refreshSeconds = typeof refreshTokenLifetime === 'number' ? refreshTokenLifetime : undefined

  function issue(grant: Grant, { shape = {}, hasRefreshToken = false, isInterim = false }: IssueOptions): EndpointResponse {
    const seconds = isInterim ? interimSeconds : switches.accessTokenSeconds
    const accessToken = store.addAccessToken(grant, seconds, { isInterim })
    const refreshToken = hasRefreshToken && !switches.omitRefreshToken ? store.addRefreshToken(grant, refreshSeconds) : undefined
    const entries: Entry[] = [
      ...(grant.method === 'oauth2' ? accountOf(grant) : []),
      ...facts.sentValues(grant.method, 'token', grant.account).map(([{ pointer = '' }, text]): Entry => [pointer, text]),
      ['/token_type', switches.tokenType ?? (shape.tokenType || 'Bearer')],
      ...expiryEntries(shape, seconds),
      ...(refreshToken === undefined ? [] : ([[shape.refreshToken ?? '/refresh_token', refreshToken]] as const)),
      ...(switches.omitScope || grant.scopes.length === 0
        ? []
        : ([[shape.scope ?? '/scope', grant.scopes.join(oauth2?.scopeSeparator ?? ' ')]] as const)),
      [shape.accessToken ?? '/access_token', accessToken]
    ]
    return { status: 200, headers: { 'cache-control': 'no-store' }, body: buildDocument(entries) }
  }

  function expiryEntries({ expiresIn, expiresAt, defaultExpiresIn }: TokenResponseShape, seconds: number | undefined): Entry[] {
    if (switches.omitExpiresIn || seconds === undefined) return []
    if (expiresAt !== undefined) return [[expiresAt, new Date(Date.now() + seconds * 1000).toISOString()]]
    // A definition has a default because the vendor says nothing.
    return defaultExpiresIn !== undefined && expiresIn === undefined ? [] : [[expiresIn ?? '/expires_in', seconds]]
  }

  /** The account that comes with tokens. */
  function accountOf(grant: Grant): Entry[] {
    const { account } = oauth2 ?? {}
    if (account?.from === 'token') return accountEntries(account, grant.account)
    return account?.from === 'id_token' ? [['/id_token', idToken(accountEntries(account, grant.account), grant)]] : []
  }

  /** OpenID Connect Core 1.0 §2. */
  function idToken(claims: readonly Entry[], { account, parameters }: Grant): string {
    const nowSeconds = Math.floor(Date.now() / 1000)
    const payload = buildDocument(claims, {
      iss: expand.url(issuer, parameters, 'known'),
      sub: stableHex(account),
      aud: client.id,
      iat: nowSeconds,
      exp: nowSeconds + 300
    })
    const [header, body] = [{ alg: 'ES256' }, payload].map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    const signature = sign('sha256', Buffer.from(`${header}.${body}`), { key: signingKey(), dsaEncoding: 'ieee-p1363' })
    return `${header}.${body}.${signature.toString('base64url')}`
  }

  return { issue, refreshSeconds }
}

/** Where a document has the account: its id, and the first place of its name. */
export function accountEntries({ id, name }: AccountPointers, account: string): Entry[] {
  const [firstName] = [name ?? []].flat()
  return [
    ...(id === undefined ? [] : [[id, stableHex(account)] as const]),
    ...(firstName === undefined ? [] : [[firstName, account] as const])
  ]
}

let key: KeyObject | undefined

/** Made at its first use: most vendors send no ID token. */
function signingKey() {
  key ??= generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  return key
}
