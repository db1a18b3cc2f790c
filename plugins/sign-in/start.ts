import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../../src/core/errors.ts'
import { beginFlow, challengeOf, firstOwner, pushedOut } from '../../src/core/flow.ts'
import { safeReturnTo } from '../../src/core/return-to.ts'
import { newId } from '../../src/core/session.ts'
import type { ProviderContextOptions } from './provider-context.ts'

type Options = ProviderContextOptions & { redirectUri: string }

/** `GET /auth/NAME`: begins a sign-in and sends the browser to the provider. */
export async function start(app: FastifyInstance, { definition, method, client, publicUrl, allowedOrigins, clock, redirectUri }: Options) {
  app.get<{ Querystring: { return_to?: string | string[] } }>(
    `/auth/${definition.name}`,
    { exposeHeadRoute: false, config: { provider: definition.name } },
    async (request, reply) => {
      const { return_to: asked = '/' } = request.query
      if (typeof asked !== 'string') throw new GatewayError('return_to_rejected', 'return_to is given twice. Give it once.')
      const returnTo = safeReturnTo(asked === '' ? '/' : asked, publicUrl, allowedOrigins)

      const session = request.ticket && (await app.vault.open(request.ticket, []))?.session.value
      // A browser without a session gets one at its callback. Its tabs share the owner, so that they end in one session.
      const owner = session?.owner ?? firstOwner(request.flows) ?? newId()
      const flow = beginFlow({ provider: definition.name, returnTo, owner, first: session === undefined }, clock.now())

      const { scopes } = client
      const address = app.grantClient.oauth2.authorizeURL({
        ...method.authorizeParams,
        redirect_uri: redirectUri,
        // An absent scope must be absent, not empty (RFC 6749 §3.3).
        ...(scopes.length > 0 && { scope: [...scopes] }),
        state: flow.state,
        code_challenge: challengeOf(flow),
        code_challenge_method: 'S256'
      })
      return reply.dropFlows(pushedOut(request.flows, flow)).keepFlow(flow).redirect(address, 302)
    }
  )
}
