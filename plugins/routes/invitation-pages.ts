import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { invitationPage } from '../../src/pages/invitation-page.ts'
import { declinedPage, thanksPage } from '../../src/pages/result-pages.ts'
import type { Services } from '../../src/services.ts'
import { sendPage } from '../send-page.ts'

/** Pages for invited users. */
async function invitationPages(
  app: FastifyInstance,
  {
    providers,
    publicOrigin,
    basePath,
    invitations,
    pageContexts
  }: Pick<Services, 'providers' | 'publicOrigin' | 'basePath' | 'invitations' | 'pageContexts'>
) {
  app.get<{ Params: { token: string }; Querystring: { connect_error?: unknown } }>(
    '/invitations/:token',
    { config: { secretPath: true } },
    async (request, reply) => {
      const { token } = request.params
      const { invitation } = await invitations.find(token)
      const settings = findProvider(providers, invitation.provider)
      const { connect_error: code } = request.query
      const options = {
        invitation,
        settings,
        path: `${basePath}/invitations/${token}`,
        siteHost: publicOrigin.host,
        errorCode: typeof code === 'string' ? code : undefined
      }
      reply
        // With no-referrer, browsers submit a form with `Origin: null`, which the CSRF check cannot attribute.
        .header('referrer-policy', 'same-origin')
        .header('x-robots-tag', 'noindex')
      return sendPage(reply, pageContexts, context => invitationPage(context, options), { formsLeave: true })
    }
  )

  app.get<{ Querystring: { provider?: unknown } }>('/invitations/thanks', async (request, reply) =>
    sendPage(reply, pageContexts, context => thanksPage(context, providers.get(String(request.query.provider))?.definition))
  )
  app.get('/invitations/declined', async (_request, reply) => sendPage(reply, pageContexts, declinedPage))
}

export default fp(invitationPages, {
  name: 'invitation-pages',
  dependencies: ['errors', 'security'],
  encapsulate: true
})
