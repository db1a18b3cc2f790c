import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { declinedPage, thanksPage } from '../../src/pages/result-pages.ts'
import type { Services } from '../../src/services.ts'
import { sendPage } from '../send-page.ts'
import { sendInvitationPage } from './send-invitation-page.ts'

/** Pages for invited users. */
async function invitationPages(
  app: FastifyInstance,
  services: Pick<Services, 'providers' | 'publicOrigin' | 'basePath' | 'invitations' | 'pageContexts'>
) {
  const { providers, invitations, pageContexts } = services
  app.get<{ Params: { token: string }; Querystring: { connect_error?: unknown } }>(
    '/invitations/:token',
    { config: { secretPath: true } },
    async (request, reply) => {
      const { token } = request.params
      const { invitation } = await invitations.find(token)
      const { connect_error: code } = request.query
      return sendInvitationPage(services, reply, { token, invitation, errorCode: typeof code === 'string' ? code : undefined })
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
