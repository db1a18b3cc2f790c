import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { connectionView } from '../../src/core/connections/view.ts'
import { connectMethods } from '../../src/pages/connect-methods.ts'
import { connectPage } from '../../src/pages/connect-page.ts'

type ConnectPageOptions = {
  publicUrl: string
  returnTo: string
  /** Why this page appears to a user who did not ask for it. */
  notice?: string
}

/** The page with the connect methods of one provider. It names the account that is connected already, because another would replace it. */
export async function sendConnectPage(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  provider: string,
  { publicUrl, returnTo, notice }: ConnectPageOptions
): Promise<FastifyReply> {
  const settings = app.getProvider(provider)
  const opened = request.sessionRef && (await app.vault.open(request.sessionRef, [provider]))
  if (opened) request.touchSession(opened.session)
  const view = connectionView(settings, { connection: opened?.connections.get(provider)?.value, publicUrl })
  const page = connectPage(settings.definition, { view, connectMethods: connectMethods(view, publicUrl, returnTo), returnTo, notice })
  return reply.type('text/html; charset=utf-8').send(page)
}
