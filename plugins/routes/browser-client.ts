import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { connectionView } from '../../src/core/connections/view.ts'
import { GatewayError, isErrorCode } from '../../src/core/errors.ts'
import { appendParams, parseReturnTo } from '../../src/core/guards/return-to.ts'
import { isConnectError } from '../../src/core/oauth/error-codes.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { clientScript } from '../../src/pages/assets.ts'
import { popupPage } from '../../src/pages/popup-page.ts'
import type { Services } from '../../src/services.ts'
import { sendPage } from '../send-page.ts'

type PopupQuery = { opener?: unknown; provider?: unknown; return_to?: unknown; connect_error?: unknown; connect_code?: unknown }

/** For frontends on other origins: the client that they import, and the page on which a sign-in in a popup ends. */
async function client(
  app: FastifyInstance,
  {
    providers,
    publicUrl,
    publicOrigin,
    allowedOrigins,
    pageContexts
  }: Pick<Services, 'providers' | 'publicUrl' | 'publicOrigin' | 'allowedOrigins' | 'pageContexts'>
) {
  const etag = `"${clientScript.hash}"`
  app.get('/client.js', { config: { withoutCookies: true } }, (request, reply) => {
    // `cross-origin` allows pages with COEP to load it. CORS decides who may read it.
    reply.headers({ etag, 'cache-control': 'public, max-age=300', 'cross-origin-resource-policy': 'cross-origin' })
    // A compressing proxy weakens the tag to W/"…".
    if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send()
    return reply.type(clientScript.type).send(clientScript.body)
  })

  /** The `return_to` of a sign-in in a popup. As with any other, a failed sign-in adds `connect_error` and `provider`. */
  app.get<{ Querystring: PopupQuery }>('/popup', async (request, reply) => {
    const { opener, provider, connect_error: connectError, connect_code: code } = request.query
    // A sign-in that a bearer began ends with a code, or with an error that no session of this browser explains.
    const returnTo = request.query.return_to
    const isForBearer = returnTo !== undefined
    const isAllowed = (origin: string) => (isForBearer ? allowedOrigins.hasForBearer(origin) : allowedOrigins.has(origin))
    if (typeof opener !== 'string' || !isAllowed(opener))
      throw new GatewayError('return_to_rejected', 'opener is no allowed origin. An operator adds it to ALLOWED_ORIGINS.')
    // A failed sign-in adds `provider` a second time: the last one counts.
    const settings = findProvider(providers, String([provider].flat().at(-1)))
    const { name, title } = settings.definition
    const signInError = connectError === undefined ? undefined : toKnownCode(connectError)
    const common = { opener, provider: name, title, signInError }
    if (isForBearer) {
      const error = signInError ?? (typeof code === 'string' ? undefined : 'provider_error')
      const fallback = appendParams(
        parseReturnTo(returnTo, opener, publicOrigin.origin, { has: isAllowed }),
        error === undefined ? { connect_code: String(code), provider: name } : { connect_error: error, provider: name }
      )
      return sendPage(reply, pageContexts, context =>
        popupPage(context, { ...common, isConnected: false, error, code: typeof code === 'string' ? code : undefined, fallback })
      )
    }
    const opened = await request.open({ provider: name })
    const connection = opened?.connection?.value
    const status = connection?.status
    const isConnected = status === 'connected'
    const error = signInError ?? (isConnected ? undefined : (status ?? 'connection_required'))
    const view = connection && connectionView(settings, { connection, publicUrl })
    return sendPage(reply, pageContexts, context => popupPage(context, { ...common, isConnected, view, error }))
  })
}

/** The query is untrusted: no other value appears in the response. */
const toKnownCode = (code: unknown): string =>
  typeof code === 'string' && (isConnectError(code) || isErrorCode(code)) ? code : 'provider_error'

export default fp(client, { name: 'client', dependencies: ['principal', 'errors', 'security'], encapsulate: true })
