import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Connection } from '../src/core/connection.ts'
import type { Flow } from '../src/core/flow.ts'
import type { Clock } from '../src/core/ports.ts'
import { createRenewal, type Renew } from '../src/core/renewal.ts'
import { createRevocation } from '../src/core/revocation.ts'
import type { TokenEndpoint } from '../src/core/token-endpoint.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Each provider's sign-in context puts its own here. */
    tokenEndpoints: Map<string, TokenEndpoint>
    /** Where a sign-in goes, with its flow's state and challenge. */
    authorizeUrls: Map<string, (flow: Flow) => Promise<string>>
    renew: Renew
    /** Tells the provider that a grant is over. Never rejects; tries again later what fails now. */
    revoke(connection: Connection): Promise<void>
  }
}

/** How long a gateway that closes goes on trying to save what it has renewed. */
const settleMs = 5_000

/** What happens to a grant after its sign-in: renewed exactly once, and revoked when it is not wanted any more. */
async function grants(app: FastifyInstance, { clock }: { clock: Clock }) {
  const endpoints = new Map<string, TokenEndpoint>()
  const revocation = createRevocation({
    endpointOf: provider => endpoints.get(provider),
    onGivenUp: provider => app.log.warn({ provider }, 'a grant could not be revoked at its provider')
  })
  app.decorate('tokenEndpoints', endpoints)
  app.decorate('authorizeUrls', new Map())
  app.decorate('revoke', revocation.revoke)
  const renewal = createRenewal({
    vault: app.vault,
    lease: app.store,
    watch: app.store.watch,
    clock,
    endpointOf: name => endpoints.get(name),
    onOrphan: connection => void revocation.revoke(connection),
    onLost: ({ provider }) => app.log.error({ provider }, 'a renewed grant could not be saved and is lost')
  })
  app.decorate('renew', renewal.renew)
  app.addHook('onClose', async () => {
    await renewal.settle(settleMs)
    revocation.close()
  })
}

export default fp(grants, { name: 'grants', dependencies: ['vault'] })
