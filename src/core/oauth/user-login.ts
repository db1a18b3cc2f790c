import { createHash } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import type { Store } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { isAwaitingResponse, type PresentedFlows, type Session, type SessionLimits, type SessionRef } from '../session.ts'
import { isUserOwner } from '../users/owner.ts'
import type { User } from '../users/user.ts'
import type { Cipher } from '../vault/cipher.ts'
import type { OwnerNames } from '../vault/owner-names.ts'
import type { Vault } from '../vault/vault.ts'

/** Whom the identity provider has signed in. */
type SignedIn = {
  readonly subject: string
  readonly name?: string
  readonly email?: string
  readonly sid?: string
  readonly idToken: Secret
}

/** What a logout token ends (OpenID Connect Back-Channel Logout 1.0 §2.4). */
type LogoutRequest = { readonly subject?: string; readonly sid?: string; readonly jti: string; readonly expiresAtMs: number }

export type UserLogin = {
  /**
   * Starts the session of a user in a browser. The session that the browser had ends if it was a user's; otherwise its connections can be
   * taken over from the new one, unless its cookie is an older copy that does not show all of them.
   * @param browser who presents it
   */
  signIn(signedIn: SignedIn, presented: SessionRef | undefined, browser?: PresentedFlows): Promise<Session>
  /**
   * Ends the sessions that a logout token names.
   * @returns how many
   * @throws {GatewayError} `token_invalid` for a token that was used before
   */
  endSessions(request: LogoutRequest, nowMs: number): Promise<number>
  /** Forgets a session of the identity provider when the last session here that began with it has ended. */
  forgetIssuerSession(owner: string, sid: string | undefined): Promise<void>
  /** Forgets which sessions of the identity provider were the user's: before everything of the user is erased. */
  forgetIssuerSessions(owner: string): Promise<void>
}

/** Of a logout token. */
const used = Buffer.from('used')

type Dependencies = {
  readonly store: Pick<Store, 'getValue' | 'setValue'>
  readonly cipher: Cipher
  readonly vault: Vault
  readonly ownerNames: OwnerNames
  readonly limits: SessionLimits
  readonly issuer: string
}

/** Sessions of users, as their identity provider begins and ends them. */
export function createUserLogin({ store, cipher, vault, ownerNames, limits, issuer }: Dependencies): UserLogin {
  const hash = (text: string) =>
    createHash('sha256')
      .update(JSON.stringify([issuer, text]))
      .digest('base64url')
  const sidKey = (sid: string) => `issuer-session:${hash(sid)}`
  const sidContext = (sid: string) => `v1\0issuer session\0${sidKey(sid)}`

  const forget = (sid: string) => store.setValue(sidKey(sid), Buffer.alloc(0), 1)

  async function forgetIfLast(owner: string, sid: string | undefined): Promise<void> {
    if (sid !== undefined && !(await vault.issuerSessions(owner)).includes(sid)) await forget(sid)
  }

  const userOf = ({ subject, name, email }: Pick<SignedIn, 'subject' | 'name' | 'email'>): User => {
    const displayName = name ?? email
    return { issuer, claim: 'sub', id: subject, ...(displayName !== undefined && { name: displayName }) }
  }

  /** A logout token may name the provider's session alone. */
  async function ownerOf({ subject, sid }: LogoutRequest): Promise<string | undefined> {
    if (subject !== undefined) return ownerNames.nameOf(userOf({ subject }))
    const sealed = sid === undefined ? undefined : await store.getValue(sidKey(sid))
    return sealed && sid !== undefined ? cipher.open(sealed, sidContext(sid))?.toString() : undefined
  }

  return {
    async signIn(signedIn, presented, browser) {
      const user = userOf(signedIn)
      const owner = await ownerNames.nameOf(user)
      const { sid, idToken } = signedIn
      if (sid !== undefined) await store.setValue(sidKey(sid), cipher.seal(Buffer.from(owner), sidContext(sid)), limits.maxMs)
      const isAnonymous = presented !== undefined && !isUserOwner(presented.owner)
      const before = isAnonymous ? await vault.openAll(presented, browser) : undefined
      const superseded = before?.session?.value.superseded
      const showsAll = !superseded || isAwaitingResponse(superseded.flow, browser)
      const session = await vault.signIn(owner, user, {
        login: { sid, idToken },
        ...(before && showsAll && before.connections.size > 0 && { takeover: before.owner })
      })
      if (presented && !isAnonymous) {
        const ended = await vault.signOut(presented)
        await forgetIfLast(presented.owner, ended?.sid)
      }
      return session
    },

    forgetIssuerSession: forgetIfLast,

    async forgetIssuerSessions(owner) {
      for (const sid of await vault.issuerSessions(owner)) await forget(sid)
    },

    async endSessions(request, nowMs) {
      const key = `logout-token:${hash(request.jti)}`
      if (await store.getValue(key)) throw new GatewayError('token_invalid', 'This logout token was used before.')
      const owner = await ownerOf(request)
      const ended = owner === undefined ? 0 : await vault.endSessions(owner, request.sid)
      // Last: after an outage in between, the provider's second try does what the first could not.
      await store.setValue(key, used, Math.max(request.expiresAtMs - nowMs, 1))
      return ended
    }
  }
}
