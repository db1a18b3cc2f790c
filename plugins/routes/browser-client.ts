import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError, isErrorCode } from '../../src/core/errors.ts'
import { isConnectError } from '../../src/core/oauth/error-codes.ts'
import { clientScript } from '../../src/pages/assets.ts'
import { popupPage } from '../../src/pages/popup-page.ts'
import { reasonFor } from '../../src/pages/sign-in-result.ts'

type PopupQuery = { opener?: unknown; provider?: unknown; connect_error?: unknown }

/** For frontends elsewhere: the client that they import, and where a sign-in in a popup ends. */
async function client(app: FastifyInstance, { allowedOrigins }: { allowedOrigins: ReadonlySet<string> }) {
  const etag = `"${clientScript.hash}"`
  app.get('/client.js', (request, reply) => {
    // A page that isolates itself (COEP) loads it too. Who may read it, CORS says as everywhere.
    reply.headers({ etag, 'cache-control': 'public, max-age=300', 'cross-origin-resource-policy': 'cross-origin' })
    // A proxy that compresses makes it W/"…".
    if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send()
    return reply.type(clientScript.type).send(clientScript.body)
  })

  /** A `return_to`: the address of the page that opened the popup stands in it, and how it ended is added like to any other. */
  app.get<{ Querystring: PopupQuery }>('/popup', async (request, reply) => {
    const { opener, provider, connect_error: told } = request.query
    if (typeof opener !== 'string' || !allowedOrigins.has(opener))
      throw new GatewayError('return_to_rejected', 'opener is no allowed origin. An operator adds it to ALLOWED_ORIGINS.')
    // Where it failed the address names it twice: what the sign-in added comes last.
    const { name, title } = app.getProvider(String([provider].flat().at(-1))).definition
    const held = request.sessionRef && (await app.vault.open(request.sessionRef, [name]))
    const status = held?.connections.get(name)?.value.status
    const isConnected = status === 'connected'
    const refusal = told === undefined ? undefined : known(told)
    const error = refusal ?? (isConnected ? undefined : (status ?? 'connection_required'))
    const reason = refusal && reasonFor(refusal)
    return reply.type('text/html; charset=utf-8').send(popupPage({ opener, provider: name, title, isConnected, error, reason }))
  })
}

/** Anybody may have written the address, so nothing else in it is repeated. */
const known = (code: unknown): string => (typeof code === 'string' && (isConnectError(code) || isErrorCode(code)) ? code : 'provider_error')

export default fp(client, { name: 'client', dependencies: ['providers', 'session', 'vault', 'errors', 'security'], encapsulate: true })
