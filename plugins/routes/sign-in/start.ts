import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../../src/core/errors.ts'
import { createFlow, evictedFlows, newSessionOwner } from '../../../src/core/flow.ts'
import { parseReturnTo } from '../../../src/core/guards/return-to.ts'
import { newId } from '../../../src/core/session.ts'
import { connectedUrl } from '../../../src/pages/connect-methods.ts'
import { sendConnectPage } from '../send-connect-page.ts'
import type { ProviderRouteOptions } from './options.ts'

/** `GET /auth/NAME`: begins a sign-in and redirects the browser to the provider. */
export async function start(app: FastifyInstance, options: ProviderRouteOptions) {
  const { definition, oauthProvider, publicUrl, allowedOrigins, clock } = options
  const { name } = definition

  app.get<{ Querystring: { return_to?: unknown } }>(
    `/auth/${name}`,
    { exposeHeadRoute: false, config: { provider: name } },
    async (request, reply) => {
      const returnTo = (fallback: string) => parseReturnTo(request.query.return_to, fallback, publicUrl, allowedOrigins)
      refuseEmbedded(request)
      // Any site can send a browser here, and a provider that remembers the consent does not ask: the user has to confirm on our page.
      return request.headers['sec-fetch-site'] === 'cross-site'
        ? sendConnectPage(options, request, reply, name, { publicUrl, returnTo: returnTo(connectedUrl(name)) })
        : begin(request, reply, returnTo('/'))
    }
  )

  async function begin(request: FastifyRequest, reply: FastifyReply, returnTo: string): Promise<FastifyReply> {
    await request.consumeRateLimit('sign-in')

    const session = await request.findSession()
    // A browser without a session gets one at its callback. Its tabs share the owner, so that they end in one session.
    const owner = session?.owner ?? newSessionOwner(request.flows) ?? newId()
    const flow = createFlow({ provider: name, returnTo, owner, startsSession: session === undefined }, clock.now())

    const url = await oauthProvider.authorizeUrl(flow)
    return reply.clearFlowCookies(evictedFlows(request.flows, flow)).setFlowCookie(flow).redirect(url, 302)
  }
}

/** A request by a script, an image or a frame, on whatever site, is not the user's wish: it could evict a sign-in that is. */
function refuseEmbedded({ headers }: FastifyRequest): void {
  if ((headers['sec-fetch-dest'] ?? 'document') !== 'document')
    throw new GatewayError('csrf_rejected', 'A sign-in begins where a person opens this address, and not inside of another page.')
}
