import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'
import { createFlow, evictedFlows } from '../../src/core/flow.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { connectWithApiKey, parseApiKey } from '../../src/core/proxy/api-key.ts'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'providers' | 'clock' | 'send' | 'vault' | 'invitations' | 'oauthProviders' | 'revocation'>
type ByToken = { Params: { token: string } }

/** The invited user's side. Whoever holds the link may use it once; nothing here gives or reads a session. */
async function invitationLinks(app: FastifyInstance, { providers, clock, send, vault, invitations, oauthProviders, revocation }: Options) {
  // The forms have no fields: their URL says everything.
  app.addContentTypeParser('application/x-www-form-urlencoded', (_request, payload, done) => {
    payload.resume()
    done(null)
  })

  app.post<ByToken>('/invitations/:token/accept', { config: { ownPage: true, secretPath: true } }, async (request, reply) => {
    const { token } = request.params
    await request.consumeRateLimit('sign-in')
    const { owner, invitation } = await invitations.find(token)
    const provider = oauthProviders.get(invitation.provider)
    if (!provider) throw new GatewayError('provider_unknown', 'The provider has no sign-in here any more. Ask for a new invitation.')
    const flow = createFlow(
      { provider: invitation.provider, returnTo: `/invitations/${token}`, owner, startsSession: false, invitation: invitation.id },
      clock.now()
    )
    const url = await provider.authorizeUrl(flow)
    return reply.clearFlowCookies(evictedFlows(request.flows, flow)).setFlowCookie(flow).redirect(url, 303)
  })

  app.post<ByToken>('/invitations/:token/decline', { config: { ownPage: true, secretPath: true } }, async (request, reply) => {
    const { owner, invitation } = await invitations.find(request.params.token)
    await invitations.withdraw(owner, invitation.id)
    return reply.redirect('/invitations/declined', 303)
  })

  app.post<ByToken & { Body: { apiKey?: unknown } | null | undefined }>(
    '/invitations/:token',
    { config: { secretPath: true } },
    async (request, reply) => {
      const { owner, invitation, redeem } = await invitations.find(request.params.token)
      const { definition } = findProvider(providers, invitation.provider)
      const method = definition.methods.apiKey
      if (!method) throw new GatewayError('method_not_allowed', `${definition.title} has no API keys.`, { allow: [] })
      const key = parseApiKey(request.body?.apiKey, definition.name)
      const connection = await request.consumeKeyRateLimit(definition.name, () =>
        connectWithApiKey(send, definition, method, key, clock.now())
      )
      const result = await vault.connectInvited(owner, connection, redeem)
      if (!result) throw new GatewayError('invitation_invalid', 'It was used or withdrawn in this very moment. Nothing was stored.')
      revocation.revokeReplaced(result.replaced, connection)
      return reply.code(201).send({ provider: definition.name, thanksUrl: `/invitations/thanks?provider=${definition.name}` })
    }
  )
}

export default fp(invitationLinks, {
  name: 'invitation-links',
  dependencies: ['flows', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})
