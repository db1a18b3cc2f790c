import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createSignInOutcomes, type SignInOutcomes } from '../../src/core/oauth/sign-in-outcome.ts'
import type { Clock, Store } from '../../src/core/ports.ts'
import type { Session, SessionLimits } from '../../src/core/session.ts'
import { type Cipher, createCipher } from '../../src/core/vault/cipher.ts'
import { createInvitations, type Invitations } from '../../src/core/vault/invitations.ts'
import { defaultRecordCacheLimits } from '../../src/core/vault/record-cache.ts'
import type { Versioned } from '../../src/core/vault/records.ts'
import { createVault, type Vault } from '../../src/core/vault/vault.ts'

declare module 'fastify' {
  interface FastifyInstance {
    vault: Vault
    invitations: Invitations
    outcomes: SignInOutcomes
    store: Store
    /** By which every record is sealed. */
    cipher: Cipher
  }
  interface FastifyRequest {
    /** The session that its cookie names, if it lives; seen by this. */
    findSession(): Promise<Session | undefined>
    /** The session was seen, and used for `provider`. The call does not wait for it to be written, nor fail with it. */
    touchSession(session: Versioned<Session>, provider?: string): void
  }
}

type VaultOptions = { store: Store; keys: readonly Buffer[]; limits: SessionLimits; graceMs: number; clock: Clock }

/** The sealed records, and the store below them, which is closed with the gateway. */
async function vault(app: FastifyInstance, { store, keys, limits, graceMs, clock }: VaultOptions) {
  app.decorate('store', store)
  const cipher = createCipher(keys)
  app.decorate('cipher', cipher)
  app.decorate('vault', createVault({ store, cipher, limits, clock, memory: { ...defaultRecordCacheLimits, graceMs } }))
  app.decorate('outcomes', createSignInOutcomes({ store, cipher }))
  app.decorate('invitations', createInvitations({ store, cipher, limits, clock }))
  app.decorateRequest('findSession', async function (this: FastifyRequest) {
    const held = this.sessionRef && (await app.vault.open(this.sessionRef, [], this))
    if (held) this.touchSession(held.session)
    return held?.session.value
  })
  app.decorateRequest('touchSession', function (this: FastifyRequest, session: Versioned<Session>, provider?: string) {
    app.vault.touch(session, provider)?.catch(error => this.log.warn({ code: error.code }, 'the session could not be noted as seen'))
  })
  app.addHook('onClose', () => store.close())
}

export default fp(vault, { name: 'vault' })
