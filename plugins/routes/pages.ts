import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { reconnectDueMs } from '../../src/core/connections/connection.ts'
import { type ConnectionView, connectionViews } from '../../src/core/connections/view.ts'
import { parseReturnTo } from '../../src/core/guards/return-to.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { connectionsScript, icon, inviteScript, keyFormScript, popupScript, stylesheet } from '../../src/pages/assets.ts'
import { connectedUrl, connectMethods } from '../../src/pages/connect-methods.ts'
import { connectionsPage } from '../../src/pages/connections-page.ts'
import { connectedResult, failedResult, type SignInResult } from '../../src/pages/sign-in-result.ts'
import type { Services } from '../../src/services.ts'
import { sendConnectPage } from './send-connect-page.ts'

type Options = Pick<Services, 'providers' | 'publicUrl' | 'allowedOrigins' | 'limits' | 'vault' | 'invitations'>
type Query = { connected?: unknown; connect_error?: unknown; provider?: unknown }
type ConnectRoute = { Params: { provider: string }; Querystring: { return_to?: unknown } }

/** The Connections page, the page of one provider, and the assets of all pages. */
async function pages(app: FastifyInstance, options: Options) {
  const { providers, publicUrl, allowedOrigins, limits, invitations: invitationService } = options

  app.get<{ Querystring: Query }>('/', async (request, reply) => {
    const opened = await request.openSession(reply)
    const views = connectionViews(providers, opened, publicUrl)
    const cards = views.flatMap(view => {
      const settings = providers.get(view.provider)
      const connection = opened?.connections.get(view.provider)?.value
      const endsAtMs = connection && reconnectDueMs(connection)
      return settings ? [{ provider: settings.definition, view, connectMethods: connectMethods(view, publicUrl), endsAtMs }] : []
    })
    const session = opened?.session.value
    const sessionExpiry = session && {
      idleMs: limits.idleMs,
      notBeforeMs: session.extendedUntilMs,
      latestMs: session.createdAtMs + limits.maxMs
    }
    const open = opened ? await invitationService.list(opened.session.value.owner) : []
    const invitations = open.map(invitation => ({
      invitation,
      title: providers.get(invitation.provider)?.definition.title ?? invitation.provider
    }))
    const signInResult = signInResultOf(request.query, views)
    return reply.type('text/html; charset=utf-8').send(connectionsPage({ cards, invitations, signInResult, sessionExpiry }))
  })

  app.get<ConnectRoute>('/connect/:provider', async (request, reply) => {
    const { name } = findProvider(providers, request.params.provider).definition
    const returnTo = parseReturnTo(request.query.return_to, connectedUrl(name), publicUrl, allowedOrigins)
    return sendConnectPage(options, request, reply, name, { publicUrl, returnTo })
  })

  for (const asset of [connectionsScript, icon, inviteScript, keyFormScript, popupScript, stylesheet]) {
    app.get(asset.url, (_request, reply) =>
      reply.type(asset.type).header('cache-control', 'public, max-age=31536000, immutable').send(asset.body)
    )
  }
}

function signInResultOf({ connected, connect_error: code, provider }: Query, views: readonly ConnectionView[]): SignInResult | undefined {
  const hasFailed = typeof code === 'string'
  const view = views.find(v => v.provider === (hasFailed ? provider : connected))
  return view && (hasFailed ? failedResult(view, code) : connectedResult(view))
}

export default fp(pages, { name: 'pages', dependencies: ['session', 'session-delivery', 'errors'], encapsulate: true })
