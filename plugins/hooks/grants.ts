import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Connection } from '../../src/core/connections/connection.ts'
import type { Flow } from '../../src/core/flow.ts'
import { createRenewal, type Renew } from '../../src/core/oauth/renewal.ts'
import { createRevocation, type Revocation, type RevocationFailure } from '../../src/core/oauth/revocation.ts'
import type { TokenEndpoint } from '../../src/core/oauth/token-endpoint.ts'
import type { Clock } from '../../src/core/ports.ts'
import { renewalLog } from './renewal-log.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Each provider's sign-in context puts its own here. */
    tokenEndpoints: Map<string, TokenEndpoint>
    /** Where a sign-in goes, with its flow's state and challenge. */
    authorizeUrls: Map<string, (flow: Flow) => Promise<string>>
    renew: Renew
    /** Tells the provider that a grant is over. Never rejects; tries again later what fails now. */
    revoke(connection: Connection): Promise<void>
    /** Once a connection has taken the place of another: revokes that one's grant, where that is safe. Waits for nobody. */
    revokeReplaced(before: Connection | undefined, after: Connection): void
    revocation: Revocation
  }
}

/** How long a gateway that closes waits for token calls under way, goes on trying to save what it has renewed, and waits for providers that are being told. */
const settleMs = 15_000
const revocationMs = 1_000

/** What happens to a grant after its sign-in: renewed exactly once, and revoked when it is not wanted any more. */
async function grants(app: FastifyInstance, { clock }: { clock: Clock }) {
  const endpoints = new Map<string, TokenEndpoint>()
  const revocation = createRevocation({
    store: app.store,
    cipher: app.cipher,
    clock,
    endpointOf: provider => endpoints.get(provider),
    scopeOf: provider => {
      const method = app.providers.get(provider)?.definition.methods.oauth2
      return method?.revokeUrl === undefined ? undefined : (method.revocation ?? 'grant')
    },
    onFailed: logFailure
  })

  function logFailure({ provider, status, code, message, nextTryMs }: RevocationFailure): void {
    const facts = { provider, status, code, reason: message }
    if (nextTryMs === undefined) app.log.error(facts, 'a grant could not be revoked at its provider and is given up: revoke it there')
    else app.log.warn({ ...facts, nextTryInSeconds: nextTryMs / 1000 }, 'a grant could not be revoked at its provider; it is tried again')
  }

  app.decorate('tokenEndpoints', endpoints)
  app.decorate('authorizeUrls', new Map())
  app.decorate('revocation', revocation)
  app.decorate('revoke', revocation.revoke)
  app.decorate('revokeReplaced', revocation.revokeReplaced)
  const renewal = createRenewal({
    vault: app.vault,
    lease: app.store,
    notes: app.store,
    watch: app.store.changes,
    clock,
    endpointOf: name => endpoints.get(name),
    onOrphan: connection => void revocation.revoke(connection),
    onOvertaken: revocation.revokeReplaced,
    ...renewalLog(app.log, clock)
  })
  app.decorate('renew', renewal.renew)
  app.addHook('onReady', async () => revocation.start())
  app.addHook('onClose', async () => {
    await renewal.settle(settleMs)
    await revocation.close(revocationMs)
  })
}

export default fp(grants, { name: 'grants', dependencies: ['providers', 'vault'] })
