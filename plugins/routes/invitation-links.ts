import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { invitedPerson } from '../../src/core/connections/connected-by.ts'
import { tooManyAccounts } from '../../src/core/connections/errors.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { createFlow, evictedFlows } from '../../src/core/flow.ts'
import { checkedParameters } from '../../src/core/oauth/sign-in-params.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { parseGivenKey } from '../../src/core/proxy/api-key.ts'
import { parseInvitedName } from '../../src/core/vault/invitations.ts'
import { thanksUrl } from '../../src/pages/connect-methods.ts'
import { invitedParameterPrefix } from '../../src/pages/invitation-page.ts'
import type { Services } from '../../src/services.ts'
import { isNavigation } from '../hooks/navigation.ts'
import { textsOf } from './send-connect-page.ts'
import { sendInvitationPage } from './send-invitation-page.ts'

type Options = Pick<
  Services,
  | 'providers'
  | 'publicOrigin'
  | 'basePath'
  | 'pageContexts'
  | 'clock'
  | 'vault'
  | 'invitations'
  | 'oauthProviders'
  | 'revocation'
  | 'connectWithKey'
>
type ByToken = { Params: { token: string } }

/** The invited user's side. Whoever holds the link may use it once; nothing here gives or reads a session. */
async function invitationLinks(app: FastifyInstance, options: Options) {
  const { providers, basePath, clock, vault, invitations, oauthProviders, revocation, connectWithKey } = options

  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(String(body)))
  })

  app.post<ByToken & { Body: unknown }>(
    '/invitations/:token/accept',
    { config: { ownPage: true, secretPath: true } },
    async (request, reply) => {
      const { token } = request.params
      const connectedBy = parseInvitedName(nameIn(request.body))
      await request.consumeRateLimit('sign-in')
      const { owner, invitation } = await invitations.find(token)
      const provider = oauthProviders.get(invitation.provider)
      if (!provider) throw new GatewayError('provider_unknown', 'The provider has no sign-in here any more. Ask for a new invitation.')
      const given = parametersInForm(request.body)
      const asked = checkedParameters(findProvider(providers, invitation.provider), given)
      if (asked instanceof GatewayError) {
        if (!isNavigation(request)) throw asked
        return sendInvitationPage(options, reply, { token, invitation, name: connectedBy, values: textsOf(given), problem: asked })
      }
      const flow = createFlow(
        {
          provider: invitation.provider,
          returnTo: `${basePath}/invitations/${token}`,
          owner,
          startsSession: false,
          invitation: invitation.id,
          ...(connectedBy !== '' && { connectedBy }),
          ...asked
        },
        clock.now()
      )
      const url = await provider.authorizeUrl(flow)
      return reply.clearFlowCookies(evictedFlows(request.flows, flow)).setFlowCookie(flow).redirect(url, 303)
    }
  )

  app.post<ByToken>('/invitations/:token/decline', { config: { ownPage: true, secretPath: true } }, async (request, reply) => {
    const { owner, invitation } = await invitations.find(request.params.token)
    await invitations.withdraw(owner, invitation.id)
    return reply.redirect(`${basePath}/invitations/declined`, 303)
  })

  app.post<ByToken & { Body: { apiKey?: unknown; name?: unknown } | null | undefined }>(
    '/invitations/:token',
    { config: { secretPath: true } },
    async (request, reply) => {
      const { owner, invitation, redeem } = await invitations.find(request.params.token)
      const settings = findProvider(providers, invitation.provider)
      const { definition } = settings
      if (!definition.methods.apiKey) throw new GatewayError('method_not_allowed', `${definition.title} has no API keys.`, { allow: [] })
      const connectedBy = parseInvitedName(request.body?.name)
      const given = parseGivenKey(settings, request.body)
      const checked = await request.consumeKeyRateLimit(definition.name, () =>
        connectWithKey(definition, given, { owner, account: invitation.account })
      )
      const connection = connectedBy === '' ? checked : { ...checked, connectedBy: invitedPerson(connectedBy) }
      const result = await vault.connectInvited(owner, connection, redeem)
      if (!result) throw new GatewayError('invitation_invalid', 'It was used or withdrawn in this very moment. Nothing was stored.')
      if (result === 'full') throw tooManyAccounts(definition.title)
      revocation.revokeReplaced(result.replaced, connection)
      return reply.code(201).send({ provider: definition.name, thanksUrl: thanksUrl(definition.name, basePath) })
    }
  )
}

/** What the invited user has given for the parameters of the provider. Given twice, it is a list, and refused as such. */
function parametersInForm(body: unknown): Record<string, unknown> {
  if (!(body instanceof URLSearchParams)) return {}
  const names = [...new Set(body.keys())].filter(name => name.startsWith(invitedParameterPrefix))
  return Object.fromEntries(
    names.map(name => {
      const values = body.getAll(name)
      return [name.slice(invitedParameterPrefix.length), values.length > 1 ? values : values[0]]
    })
  )
}

/** The field `name` of the form. Given twice, it is no name. */
function nameIn(body: unknown): unknown {
  if (!(body instanceof URLSearchParams)) return undefined
  const names = body.getAll('name')
  return names.length > 1 ? names : names[0]
}

export default fp(invitationLinks, {
  name: 'invitation-links',
  dependencies: ['flows', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})
