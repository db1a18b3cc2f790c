import type { Connection } from './connection.ts'

/**
 * The scopes that are asked for and that a connection does not have: people may leave some out (granular consent). A key has none.
 * @param asked as the next sign-in asks for them
 */
export function missingScopes(asked: readonly string[], { method, scopes, refreshToken }: Connection): string[] {
  if (method !== 'oauth2' || !scopes) return []
  return asked.filter(scope => !scopes.some(granted => covers(granted, scope)) && !(scope === 'offline_access' && refreshToken))
}

/**
 * Servers spell what they grant in their own way: in other case, as an address (`https://graph.microsoft.com/Mail.Read` for `Mail.Read`,
 * `https://www.googleapis.com/auth/userinfo.email` for `email`), or by the scope that holds it (GitHub's `user` for `user:email`).
 * `offline_access` asks for a refresh token (OpenID Connect Core §11), which is the answer to it.
 */
function covers(granted: string, asked: string): boolean {
  const [has, wants] = [granted.toLowerCase(), asked.toLowerCase()]
  const names = (address: string, name: string) => address.includes('://') && ['/', '.'].some(border => address.endsWith(border + name))
  return has === wants || wants.startsWith(`${has}:`) || names(has, wants) || names(wants, has)
}
