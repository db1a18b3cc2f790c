import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../../src/core/errors.ts'
import { createFlow, evictedFlows, type Flow, newSessionOwner } from '../../../src/core/flow.ts'
import { parseReturnTo } from '../../../src/core/guards/return-to.ts'
import { newId } from '../../../src/core/session.ts'
import { connectedUrl } from '../../../src/pages/connect-methods.ts'
import { sendConnectPage } from '../send-connect-page.ts'
import type { ProviderContextOptions } from './provider-context.ts'

type Options = ProviderContextOptions & { authorizeUrl: (flow: Flow) => Promise<string> }

/** `GET /auth/NAME`: begins a sign-in and sends the browser to the provider. */
export async function start(app: FastifyInstance, { definition, publicUrl, allowedOrigins, clock, authorizeUrl }: Options) {
  app.get<{ Querystring: { return_to?: unknown } }>(
    `/auth/${definition.name}`,
    { exposeHeadRoute: false, config: { provider: definition.name } },
    async (request, reply) => {
      const returnTo = (usual: string) => parseReturnTo(request.query.return_to, usual, publicUrl, allowedOrigins)
      refuseEmbedded(request)
      // Any site can lead a browser here, and a provider that remembers the consent asks nothing: the person has to say it on our page.
      return request.headers['sec-fetch-site'] === 'cross-site'
        ? sendConnectPage(app, request, reply, definition.name, { publicUrl, returnTo: returnTo(connectedUrl(definition.name)) })
        : begin(request, reply, returnTo('/'))
    }
  )

  async function begin(request: FastifyRequest, reply: FastifyReply, returnTo: string): Promise<FastifyReply> {
    await request.consumeRateLimit('sign-in')

    const session = await request.findSession()
    // A browser without a session gets one at its callback. Its tabs share the owner, so that they end in one session.
    const owner = session?.owner ?? newSessionOwner(request.flows) ?? newId()
    const flow = createFlow({ provider: definition.name, returnTo, owner, startsSession: session === undefined }, clock.now())

    const address = await authorizeUrl(flow)
    return reply.clearFlowCookies(evictedFlows(request.flows, flow)).setFlowCookie(flow).redirect(address, 302)
  }
}

/** What a script, an image or a frame asks for is no person's wish, on whatever site: it would push out a sign-in that is one. */
function refuseEmbedded({ headers }: FastifyRequest): void {
  if ((headers['sec-fetch-dest'] ?? 'document') !== 'document')
    throw new GatewayError('csrf_rejected', 'A sign-in begins where a person opens this address, and not inside of another page.')
}
