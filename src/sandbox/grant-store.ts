import { randomBytes } from 'node:crypto'
import type { Variables } from '../core/provider/template.ts'

/** The access that a user has given, or that a key has. */
export type Grant = {
  readonly id: string
  readonly method: 'oauth2' | 'apiKey'
  /** E-mail address of the user. */
  readonly account: string
  readonly scopes: readonly string[]
  /** What the user gave for the definition's parameters, as far as the sign-in has shown it. */
  readonly parameters: Variables
}

type AccessToken = {
  readonly grantId: string
  readonly expiresAtMs: number | null
  /** To be exchanged for another token before the API accepts it. */
  readonly isInterim?: boolean
}

type RefreshToken = { readonly grantId: string; expiresAtMs: number | null; usedAtMs?: number }

type Entries<Item> = ReadonlyArray<readonly [string, Item]>

/** In JSON form: each kind by id or token. */
export type SavedGrants = {
  readonly grants: Entries<Grant>
  readonly accessTokens: Entries<AccessToken>
  readonly refreshTokens: Entries<RefreshToken>
}

/** `reused`: it was exchanged before, which ends its grant (RFC 9700 §4.14.2). */
type Redemption = { readonly grant: Grant } | 'unknown' | 'reused'

/** One vendor's grants and tokens, in memory. */
export type GrantStore = {
  addGrant(grant: Omit<Grant, 'id'>): Grant
  addAccessToken(grant: Grant, lifetimeSeconds: number | undefined, options?: { readonly isInterim?: boolean }): string
  addRefreshToken(grant: Grant, lifetimeSeconds: number | undefined): string
  /** @returns `undefined` for a token that is unknown, has expired or whose grant has ended */
  findAccessToken(token: string): { readonly grant: Grant; readonly token: AccessToken } | undefined
  /** @param isRotated its next use is a reuse; otherwise it lasts for another `lifetimeSeconds` */
  redeem(refreshToken: string, options: { readonly isRotated: boolean; readonly lifetimeSeconds: number | undefined }): Redemption
  /** The grant of a token of either kind, if it has not ended. */
  grantOf(token: string): Grant | undefined
  /** Ends grants and their tokens. */
  end(...grants: readonly Grant[]): void
  grants(): readonly Grant[]
  expireAccessTokens(): void
}

type GrantStoreOptions = {
  readonly graceMs: () => number
  /** Items of each kind; beyond it the oldest are evicted. */
  readonly maxItems?: number
  readonly saved?: SavedGrants | undefined
  readonly onChange?: (readGrants: () => SavedGrants) => void
}

const expiryOf = (seconds: number | undefined): number | null => (seconds === undefined ? null : Date.now() + seconds * 1000)
const isExpired = ({ expiresAtMs }: { readonly expiresAtMs: number | null }) => expiresAtMs !== null && expiresAtMs <= Date.now()

export function createGrantStore({ graceMs, maxItems = 100_000, saved, onChange = () => {} }: GrantStoreOptions): GrantStore {
  const grants = new Map<string, Grant>(saved?.grants)
  const accessTokens = new Map<string, AccessToken>(saved?.accessTokens)
  const refreshTokens = new Map<string, RefreshToken>(saved?.refreshTokens)

  const changed = () => onChange(() => ({ grants: [...grants], accessTokens: [...accessTokens], refreshTokens: [...refreshTokens] }))

  function add<Item>(items: Map<string, Item>, item: Item, id = randomBytes(32).toString('base64url')): string {
    items.set(id, item)
    for (const oldest of items.keys()) {
      if (items.size <= maxItems) break
      items.delete(oldest)
    }
    changed()
    return id
  }

  function end(...ended: readonly Grant[]): void {
    const ids = new Set(ended.map(({ id }) => id))
    for (const id of ids) grants.delete(id)
    for (const [token, { grantId }] of accessTokens) if (ids.has(grantId)) accessTokens.delete(token)
    // Used refresh tokens stay: a reuse is one even after the end of the grant.
    changed()
  }

  return {
    addGrant(properties) {
      const grant = { ...properties, id: randomBytes(16).toString('base64url') }
      add(grants, grant, grant.id)
      return grant
    },
    addAccessToken: (grant, lifetimeSeconds, { isInterim = false } = {}) =>
      add(accessTokens, { grantId: grant.id, expiresAtMs: expiryOf(lifetimeSeconds), ...(isInterim && { isInterim }) }),
    addRefreshToken: (grant, lifetimeSeconds) => add(refreshTokens, { grantId: grant.id, expiresAtMs: expiryOf(lifetimeSeconds) }),
    findAccessToken(text) {
      const token = accessTokens.get(text)
      const grant = token && grants.get(token.grantId)
      if (token && isExpired(token)) accessTokens.delete(text)
      return grant && !isExpired(token) ? { grant, token } : undefined
    },
    redeem(text, { isRotated, lifetimeSeconds }) {
      const token = refreshTokens.get(text)
      if (!token) return 'unknown'
      const grant = grants.get(token.grantId)
      if (token.usedAtMs !== undefined && token.usedAtMs + graceMs() <= Date.now()) {
        if (grant) end(grant)
        return 'reused'
      }
      if (!grant || isExpired(token)) return 'unknown'
      if (isRotated) token.usedAtMs ??= Date.now()
      else token.expiresAtMs = expiryOf(lifetimeSeconds)
      changed()
      return { grant }
    },
    grantOf: token => grants.get((accessTokens.get(token) ?? refreshTokens.get(token))?.grantId ?? ''),
    end,
    grants: () => [...grants.values()],
    expireAccessTokens() {
      accessTokens.clear()
      changed()
    }
  }
}
