import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'
import { createFlow, evictedFlows } from '../../src/core/flow.ts'
import type { Clock } from '../../src/core/ports.ts'
import { connectWithApiKey, parseApiKey } from '../../src/core/proxy/api-key.ts'
import type { Send } from '../../src/core/proxy/forward.ts'

type InvitedOptions = { send: Send; clock: Clock }
type ByToken = { Params: { token: string } }

/** The invited person's side. Whoever holds the link may use it once; nothing here gives a session, or looks at one. */
async function invited(app: FastifyInstance, { send, clock }: InvitedOptions) {
  // A form without fields: what it says is its address.
  app.addContentTypeParser('application/x-www-form-urlencoded', (_request, payload, done) => {
    payload.resume()
    done(null)
  })

  app.post<ByToken>('/invitations/:token/accept', { config: { ownPage: true, secretPath: true } }, async (request, reply) => {
    const { token } = request.params
    await request.consumeRateLimit('sign-in')
    const { owner, invitation } = await app.invitations.find(token)
    const authorizeUrl = app.authorizeUrls.get(invitation.provider)
    if (!authorizeUrl) throw new GatewayError('provider_unknown', 'The provider has no sign-in here any more. Ask for a new invitation.')
    const flow = createFlow(
      { provider: invitation.provider, returnTo: `/invitations/${token}`, owner, startsSession: false, invitation: invitation.id },
      clock.now()
    )
    const address = await authorizeUrl(flow)
    return reply.clearFlowCookies(evictedFlows(request.flows, flow)).setFlowCookie(flow).redirect(address, 303)
  })

  app.post<ByToken>('/invitations/:token/decline', { config: { ownPage: true, secretPath: true } }, async (request, reply) => {
    const { owner, invitation } = await app.invitations.find(request.params.token)
    await app.invitations.withdraw(owner, invitation.id)
    return reply.redirect('/invitations/declined', 303)
  })

  app.post<ByToken & { Body: { apiKey?: unknown } | null | undefined }>(
    '/invitations/:token',
    { config: { secretPath: true } },
    async (request, reply) => {
      const { owner, invitation, redeem } = await app.invitations.find(request.params.token)
      const { definition } = app.getProvider(invitation.provider)
      const method = definition.methods.apiKey
      if (!method) throw new GatewayError('method_not_allowed', `${definition.title} has no API keys.`, { allow: [] })
      const key = parseApiKey(request.body?.apiKey, definition.name)
      const connection = await request.consumeKeyRateLimit(definition.name, () =>
        connectWithApiKey(send, definition, method, key, clock.now())
      )
      const kept = await app.vault.connectInvited(owner, connection, redeem)
      if (!kept) throw new GatewayError('invitation_invalid', 'It was used or withdrawn in this very moment. Nothing was stored.')
      app.revokeReplaced(kept.replaced, connection)
      return reply.code(201).send({ provider: definition.name, thanksUrl: `/invitations/thanks?provider=${definition.name}` })
    }
  )
}

export default fp(invited, {
  name: 'invited',
  dependencies: ['providers', 'flows', 'vault', 'grants', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})
