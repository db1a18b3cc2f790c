import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../../../src/core/errors.ts'
import type { ProviderRouteOptions } from './options.ts'

/** Far above an authorization response, in which some vendors put an ID token and the user's name. */
const maxBytes = 16 * 1024

/** Of an authorization response (RFC 6749 §4.1.2, RFC 9207 §2). */
const standardParams = ['state', 'code', 'error', 'error_description', 'iss']

/**
 * `POST /auth/NAME/callback`: an authorization response in a form (OAuth 2.0 Form Post Response Mode). The browser submits it from a page of the
 * provider, and so without the cookies of the sign-in, which are `SameSite=Lax`. It is sent on to the same address by GET, with which it sends
 * them. Everything is proven there; nothing is read or changed here.
 */
export async function formPost(app: FastifyInstance, { definition: { name }, method, oauthProvider }: ProviderRouteOptions) {
  const declared = Object.values(method.values ?? {}).flatMap(({ from, parameter }) =>
    from === 'callback' && parameter ? [parameter] : []
  )
  const passed = new Set([...standardParams, ...declared])

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(String(body)))
  })

  app.post(`/auth/${name}/callback`, { bodyLimit: maxBytes, config: { provider: name, fromOtherSites: true } }, async ({ body }, reply) => {
    if (!(body instanceof URLSearchParams)) throw new GatewayError('request_malformed', 'The provider’s response is an empty form.')
    // One that is given twice stays so: the callback refuses it.
    const query = new URLSearchParams([...body].filter(([param]) => passed.has(param)))
    return reply.redirect(`${oauthProvider.redirectUri}?${query}`, 303)
  })
}
