export type Counts = {
  /** Calls with a refresh token; sign-ins are not among them. */
  tokenCalls: number
  /** Spent refresh tokens that came back. */
  reuses: number
  /** The same within the grace period, where they are honoured. */
  withinGrace: number
  /** Calls that were honoured, and whose response was lost. */
  lost: number
  /** Calls that took long. */
  slow: number
}

type Grant = { serial: number; accessToken: string | undefined; refreshToken: string; spent: { token: string; atMs: number } | undefined }

/**
 * Grants as the strictest providers keep them: a refresh token works once, the newest access token alone is honoured, and a spent
 * refresh token that comes back ends the grant (RFC 9700 §4.14.2).
 * @param graceMs for how long the last spent refresh token is honoured once more, as some providers do for answers that get lost
 */
export function createStrictGrants(graceMs: number) {
  const grants = new Map<string, Grant>()
  const counts: Counts = { tokenCalls: 0, reuses: 0, withinGrace: 0, lost: 0, slow: 0 }
  let grantCount = 0

  const grantOf = (token: string) => grants.get(token.split('.')[1] ?? '')

  function issue(id: string, spent?: Grant['spent']) {
    const serial = (grants.get(id)?.serial ?? 0) + 1
    const [accessToken, refreshToken] = [`access.${id}.${serial}`, `refresh.${id}.${serial}`]
    grants.set(id, { serial, accessToken, refreshToken, spent })
    // An hour: here tokens end by word of the bench, and not by time.
    return { access_token: accessToken, refresh_token: refreshToken, token_type: 'Bearer', expires_in: 3600 }
  }

  return {
    counts,

    begin: () => issue(String(++grantCount)),

    /** @returns `undefined` for `invalid_grant` */
    refresh(token: string) {
      counts.tokenCalls++
      const grant = grantOf(token)
      const id = token.split('.')[1] ?? ''
      if (!grant) return undefined
      if (token === grant.refreshToken) return issue(id, { token, atMs: Date.now() })
      if (token === grant.spent?.token && Date.now() - grant.spent.atMs < graceMs) {
        counts.withinGrace++
        return issue(id, grant.spent)
      }
      counts.reuses++
      grants.delete(id)
      return undefined
    },

    /** @returns the grant's id, while this is its good access token */
    idOf: (accessToken: string) => (grantOf(accessToken)?.accessToken === accessToken ? accessToken.split('.')[1] : undefined),

    expireAccessToken(id: string) {
      const grant = grants.get(id)
      if (grant) grant.accessToken = undefined
    }
  }
}
