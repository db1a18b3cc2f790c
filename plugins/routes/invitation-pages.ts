import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { invitationPage } from '../../src/pages/invitation-page.ts'
import { declinedPage, thanksPage } from '../../src/pages/result-pages.ts'
import { reasonFor } from '../../src/pages/sign-in-result.ts'

/** `form-action` is left out: it would stop the form's redirect to the provider, and to wherever that redirects in turn. */
const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

/** What an invited person sees. */
async function invitationPages(app: FastifyInstance, { publicUrl }: { publicUrl: string }) {
  const type = 'text/html; charset=utf-8'

  app.get<{ Params: { token: string }; Querystring: { connect_error?: unknown } }>(
    '/invitations/:token',
    { config: { secretPath: true } },
    async (request, reply) => {
      const { token } = request.params
      const { invitation } = await app.invitations.find(token)
      const settings = app.getProvider(invitation.provider)
      const { connect_error: code } = request.query
      const body = invitationPage({
        invitation,
        settings,
        address: `/invitations/${token}`,
        site: new URL(publicUrl).host,
        refusal: typeof code === 'string' ? reasonFor(code) : undefined
      })
      return (
        reply
          .type(type)
          .header('content-security-policy', policy)
          // With no-referrer browsers send a form with `Origin: null`, and who sent it could not be told.
          .header('referrer-policy', 'same-origin')
          .header('x-robots-tag', 'noindex')
          .send(body)
      )
    }
  )

  app.get<{ Querystring: { provider?: unknown } }>('/invitations/thanks', async (request, reply) =>
    reply.type(type).send(thanksPage(app.providers.get(String(request.query.provider))?.definition))
  )
  app.get('/invitations/declined', async (_request, reply) => reply.type(type).send(declinedPage()))
}

export default fp(invitationPages, {
  name: 'invitation-pages',
  dependencies: ['providers', 'vault', 'errors', 'security'],
  encapsulate: true
})
