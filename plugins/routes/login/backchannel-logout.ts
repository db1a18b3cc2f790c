import type { FastifyInstance } from 'fastify'
import { hasCode } from '../../../src/core/errors.ts'
import { LogoutTokenError } from '../../../src/identity/logout-token.ts'
import type { LoginRouteOptions } from './login.ts'

type Options = Pick<LoginRouteOptions, 'clock' | 'store'> & { readonly login: NonNullable<LoginRouteOptions['login']> }

/** OpenID Connect Back-Channel Logout 1.0: the identity provider itself says that a session has ended. */
export async function backchannelLogout(app: FastifyInstance, { login, clock }: Options) {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(String(body)))
  })

  // From a server, without cookies: the signature says who sent it.
  app.post('/login/backchannel-logout', { config: { fromServer: true } }, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    const tokens = request.body instanceof URLSearchParams ? request.body.getAll('logout_token') : []
    const [token] = tokens
    if (token === undefined || tokens.length > 1) return reply.code(400).send(refused('logout_token must be sent once, in a form.'))
    try {
      const request = await login.client.verifyLogoutToken(token)
      const ended = await login.userLogin.endSessions(request, clock.now())
      app.log.info({ ended }, 'the identity provider ended sessions')
      return reply.code(200).send()
    } catch (error) {
      if (!(error instanceof LogoutTokenError) && !hasCode(error, 'token_invalid')) throw error
      request.log.warn({ reason: (error as Error).message }, 'a logout token was refused')
      return reply.code(400).send(refused((error as Error).message))
    }
  })
}

/** §2.8. */
const refused = (description: string) => ({ error: 'invalid_request', error_description: description })
