import { randomBytes } from 'node:crypto'
import fastify from 'fastify'
import { SignJWT } from 'jose'
import { registerCookies } from '../../plugins/hooks/cookies.ts'
import { originOf } from '../../src/config/urls.ts'
import { type Connection, newConnectionId } from '../../src/core/connections/connection.ts'
import { Secret } from '../../src/core/secret.ts'
import { newId, type Session, type SessionLimits } from '../../src/core/session.ts'
import { createCipher } from '../../src/core/vault/cipher.ts'
import { createOwnerNames, type OwnerNames } from '../../src/core/vault/owner-names.ts'
import { createVault, type Vault } from '../../src/core/vault/vault.ts'
import { openStore } from '../../src/stores/open-store.ts'
import { parseRedisUrl } from '../../src/stores/redis/target.ts'

export type SealingKeys = { readonly session: string; readonly token: string }

type SeedTarget = {
  readonly redisUrl?: string | undefined
  readonly dataDir: string
  readonly keys: SealingKeys
  readonly publicUrl: string
}

const batchSize = 100
const hourMs = 3_600_000
const limits: SessionLimits = { idleMs: 8 * hourMs, maxMs: 720 * hourMs }
const connectionIdleMs = 4320 * hourMs

export const newKeys = (): SealingKeys => ({ session: randomBytes(32).toString('base64'), token: randomBytes(32).toString('base64') })

/**
 * Creates sessions without a sign-in: writes what the gateway would store after one, with the gateway's own code.
 * @param called how many of the sessions need a cookie, since cookies take a while to seal
 * @returns a `Cookie` header per session
 */
export async function seedSessions(target: SeedTarget, count: number, called = count): Promise<string[]> {
  const { keys, publicUrl } = target
  const sessions: Session[] = []
  await inVault(target, async ({ vault, nowMs }) => {
    const signIn = async (number: number): Promise<Session> => {
      const begun = await vault.connect(newId(), undefined, connectionOf(number, nowMs()))
      if (begun.kind !== 'session') throw new Error(`a new session was not stored: ${begun.kind}`)
      const held = await vault.openAll(begun.session)
      if (held) await vault.touch(held, held.connections.get('productboard'))
      return begun.session
    }
    while (sessions.length < count) {
      const size = Math.min(batchSize, count - sessions.length)
      sessions.push(...(await Promise.all(Array.from({ length: size }, (_, i) => signIn(sessions.length + i)))))
    }
  })
  return cookiesFor(sessions.slice(0, called), keys, publicUrl)
}

/** Of an application that signs its users' tokens itself. */
type TokenSigner = { readonly secret: Buffer; readonly audience: string }

/**
 * Creates users with a connection each, as after a sign-in that a bearer began.
 * @returns an `Authorization` header per user, with a token of the size that identity providers make
 */
export async function seedUsers(target: SeedTarget, count: number, { secret, audience }: TokenSigner): Promise<string[]> {
  const users = Array.from({ length: count }, (_, i) => `user-${i}@example.com`)
  await inVault(target, async ({ vault, ownerNames, nowMs }) => {
    for (const [i, id] of users.entries()) {
      const user = { issuer: '', claim: 'sub', id }
      const owner = await ownerNames.nameOf(user)
      await vault.connect(owner, undefined, connectionOf(i, nowMs()), { user })
      const held = await vault.openAll({ owner, user })
      if (held) await vault.touch(held, held.connections.get('productboard'))
    }
  })
  const claims = { scope: 'openid profile email notes:read notes:write', roles: ['member', 'editor'], padding: 'x'.repeat(300) }
  return Promise.all(
    users.map(async sub => {
      const token = await new SignJWT({ ...claims, sub })
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience(audience)
        .setExpirationTime('1d')
        .sign(secret)
      return `Bearer ${token}`
    })
  )
}

type OpenedVault = { readonly vault: Vault; readonly ownerNames: OwnerNames; nowMs(): number }

async function inVault({ redisUrl, dataDir, keys }: SeedTarget, use: (opened: OpenedVault) => Promise<void>): Promise<void> {
  const store = await openStore({ redis: redisUrl === undefined ? undefined : parseRedisUrl(redisUrl), dataDir, clock: { now: Date.now } })
  // Last seen in the future, so that no last-seen update (at most one a minute) is due while the bench runs.
  const clock = { now: () => Date.now() + hourMs }
  const cipher = createCipher([Buffer.from(keys.token, 'base64')])
  const vault = createVault({ store, cipher, limits, connectionIdleMs, clock })
  try {
    await waitFor(store.ping)
    await use({ vault, ownerNames: createOwnerNames({ store, cipher, clock }), nowMs: clock.now })
  } finally {
    await store.close()
  }
}

function connectionOf(number: number, nowMs: number): Connection {
  return {
    id: newConnectionId(),
    provider: 'productboard',
    method: 'oauth2',
    status: 'connected',
    credential: new Secret(`access-${number}-${randomBytes(16).toString('hex')}`),
    refreshToken: new Secret(`refresh-${number}-${randomBytes(16).toString('hex')}`),
    scopes: ['notes:read'],
    connectedAtMs: nowMs,
    expiresAtMs: nowMs + 24 * hourMs,
    renewAtMs: nowMs + 23 * hourMs
  }
}

/** The cookies as the gateway sets them. */
async function cookiesFor(sessions: readonly Session[], keys: SealingKeys, publicUrl: string): Promise<string[]> {
  const app = fastify()
  const url = new URL(publicUrl)
  const basePath = url.pathname.replace(/\/$/, '')
  const { session } = await registerCookies(app, {
    keys: [Buffer.from(keys.session, 'base64')],
    limits,
    publicOrigin: originOf(url),
    basePath
  })
  const headers = sessions.map(({ owner, id }) => `${session.name}=${encodeURIComponent(session.seal({ owner, id }))}`)
  await app.close()
  return headers
}

/** A Redis store rejects calls until its first connection is up. */
async function waitFor(ping: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await ping()
    } catch (error) {
      if (tries > 100) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}
