export type Counts = {
  /** Requests with a refresh token; code exchanges do not count. */
  tokenCalls: number
  /** Rotated refresh tokens that were sent again. */
  reuses: number
  /** The same within the grace period, in which they are accepted. */
  withinGrace: number
  /** Successful requests whose response was dropped. */
  lost: number
  /** Delayed requests. */
  slow: number
}

type Grant = { serial: number; accessToken: string | undefined; refreshToken: string; rotated: { token: string; atMs: number } | undefined }

/**
 * Grants as the strictest providers manage them: a refresh token works once, only the newest access token is valid, and reuse of a
 * rotated refresh token revokes the grant (RFC 9700 §4.14.2).
 * @param graceMs how long the last rotated refresh token is still accepted, as some providers do in case a response was lost
 */
export function createStrictGrants(graceMs: number) {
  const grants = new Map<string, Grant>()
  const counts: Counts = { tokenCalls: 0, reuses: 0, withinGrace: 0, lost: 0, slow: 0 }
  let grantCount = 0

  const grantOf = (token: string) => grants.get(token.split('.')[1] ?? '')

  function issue(id: string, rotated?: Grant['rotated']) {
    const serial = (grants.get(id)?.serial ?? 0) + 1
    const [accessToken, refreshToken] = [`access.${id}.${serial}`, `refresh.${id}.${serial}`]
    grants.set(id, { serial, accessToken, refreshToken, rotated })
    // An hour: the bench expires tokens explicitly.
    return { access_token: accessToken, refresh_token: refreshToken, token_type: 'Bearer', expires_in: 3600 }
  }

  return {
    counts,

    create: () => issue(String(++grantCount)),

    /** @returns `undefined` for `invalid_grant` */
    refresh(token: string) {
      counts.tokenCalls++
      const grant = grantOf(token)
      const id = token.split('.')[1] ?? ''
      if (!grant) return undefined
      if (token === grant.refreshToken) return issue(id, { token, atMs: Date.now() })
      if (token === grant.rotated?.token && Date.now() - grant.rotated.atMs < graceMs) {
        counts.withinGrace++
        return issue(id, grant.rotated)
      }
      counts.reuses++
      grants.delete(id)
      return undefined
    },

    /** @returns the grant's id if this is its valid access token */
    idOf: (accessToken: string) => (grantOf(accessToken)?.accessToken === accessToken ? accessToken.split('.')[1] : undefined),

    expireAccessToken(id: string) {
      const grant = grants.get(id)
      if (grant) grant.accessToken = undefined
    }
  }
}
