import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError, isErrorCode } from '../../src/core/errors.ts'
import { isConnectError } from '../../src/core/oauth/error-codes.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { clientScript } from '../../src/pages/assets.ts'
import { popupPage } from '../../src/pages/popup-page.ts'
import { reasonFor } from '../../src/pages/sign-in-result.ts'
import type { Services } from '../../src/services.ts'

type PopupQuery = { opener?: unknown; provider?: unknown; connect_error?: unknown }

/** For frontends on other origins: the client that they import, and the page on which a sign-in in a popup ends. */
async function client(
  app: FastifyInstance,
  { providers, allowedOrigins, vault }: Pick<Services, 'providers' | 'allowedOrigins' | 'vault'>
) {
  const etag = `"${clientScript.hash}"`
  app.get('/client.js', (request, reply) => {
    // `cross-origin` allows pages with COEP to load it. CORS decides who may read it.
    reply.headers({ etag, 'cache-control': 'public, max-age=300', 'cross-origin-resource-policy': 'cross-origin' })
    // A compressing proxy weakens the tag to W/"…".
    if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send()
    return reply.type(clientScript.type).send(clientScript.body)
  })

  /** The `return_to` of a sign-in in a popup. As with any other, a failed sign-in adds `connect_error` and `provider`. */
  app.get<{ Querystring: PopupQuery }>('/popup', async (request, reply) => {
    const { opener, provider, connect_error: connectError } = request.query
    if (typeof opener !== 'string' || !allowedOrigins.has(opener))
      throw new GatewayError('return_to_rejected', 'opener is no allowed origin. An operator adds it to ALLOWED_ORIGINS.')
    // A failed sign-in adds `provider` a second time: the last one counts.
    const { name, title } = findProvider(providers, String([provider].flat().at(-1))).definition
    const opened = request.sessionRef && (await vault.open(request.sessionRef, [name]))
    const status = opened?.connections.get(name)?.value.status
    const isConnected = status === 'connected'
    const signInError = connectError === undefined ? undefined : toKnownCode(connectError)
    const error = signInError ?? (isConnected ? undefined : (status ?? 'connection_required'))
    const reason = signInError && reasonFor(signInError)
    return reply.type('text/html; charset=utf-8').send(popupPage({ opener, provider: name, title, isConnected, error, reason }))
  })
}

/** The query is untrusted: no other value appears in the response. */
const toKnownCode = (code: unknown): string =>
  typeof code === 'string' && (isConnectError(code) || isErrorCode(code)) ? code : 'provider_error'

export default fp(client, { name: 'client', dependencies: ['session', 'errors', 'security'], encapsulate: true })
