import fastify from 'fastify'
import { registerCookies } from '../../plugins/hooks/cookies.ts'
import { Secret } from '../../src/core/secret.ts'
import type { TestGateway } from './gateway.ts'

/**
 * Signs a user in without an identity provider. @param sessionKey the gateway's `SESSION_KEYS`
 * @returns the cookie of the session, as the gateway seals it
 */
export async function startUserSession(
  { services }: TestGateway,
  sessionKey: string,
  user: { readonly id: string; readonly name?: string }
): Promise<{ readonly name: string; readonly value: string; readonly owner: string }> {
  const { vault, ownerNames, limits, publicOrigin } = services
  const named = { issuer: 'https://login.example.com', claim: 'sub', ...user }
  const owner = await ownerNames.nameOf(named)
  const { id } = await vault.signIn(owner, named, { login: { idToken: new Secret('id-token') } })
  const app = fastify()
  const { session } = await registerCookies(app, { keys: [Buffer.from(sessionKey, 'base64')], limits, publicOrigin })
  const value = encodeURIComponent(session.seal({ owner, id }))
  await app.close()
  return { name: session.name, value, owner }
}
