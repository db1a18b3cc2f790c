import type { Connection } from './connection.ts'

/**
 * The requested scopes that a connection lacks, since users may decline some (granular consent). An API key has no scopes.
 * @param requested by the next sign-in
 */
export function missingScopes(requested: readonly string[], { method, scopes, refreshToken }: Connection): string[] {
  if (method !== 'oauth2' || !scopes) return []
  return requested.filter(scope => !scopes.some(granted => covers(granted, scope)) && !(scope === 'offline_access' && refreshToken))
}

/**
 * Authorization servers spell granted scopes differently: in other case, as a URL (`https://graph.microsoft.com/Mail.Read` for `Mail.Read`,
 * `https://www.googleapis.com/auth/userinfo.email` for `email`), or as the scope that includes it (GitHub's `user` for `user:email`).
 * `offline_access` requests a refresh token (OpenID Connect Core §11): a refresh token grants it.
 */
function covers(granted: string, requested: string): boolean {
  const [a, b] = [granted.toLowerCase(), requested.toLowerCase()]
  const isUrlOf = (url: string, name: string) => url.includes('://') && ['/', '.'].some(separator => url.endsWith(separator + name))
  return a === b || b.startsWith(`${a}:`) || isUrlOf(a, b) || isUrlOf(b, a)
}
