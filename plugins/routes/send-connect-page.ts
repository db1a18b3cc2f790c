import type { FastifyReply, FastifyRequest } from 'fastify'
import { connectionView } from '../../src/core/connections/view.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { connectMethods } from '../../src/pages/connect-methods.ts'
import { connectPage } from '../../src/pages/connect-page.ts'
import type { Services } from '../../src/services.ts'

type ConnectPageOptions = {
  publicUrl: string
  returnTo: string
  /** Why this page appears to a user who did not ask for it. */
  notice?: string
}

/** The page with the connect methods of one provider. It names the account that is connected already, because another would replace it. */
export async function sendConnectPage(
  { providers, vault }: Pick<Services, 'providers' | 'vault'>,
  request: FastifyRequest,
  reply: FastifyReply,
  provider: string,
  { publicUrl, returnTo, notice }: ConnectPageOptions
): Promise<FastifyReply> {
  const settings = findProvider(providers, provider)
  const opened = request.sessionRef && (await vault.open(request.sessionRef, [provider]))
  if (opened) request.touchSession(opened.session)
  const view = connectionView(settings, { connection: opened?.connections.get(provider)?.value, publicUrl })
  const page = connectPage(settings.definition, { view, connectMethods: connectMethods(view, publicUrl, returnTo), returnTo, notice })
  return reply.type('text/html; charset=utf-8').send(page)
}
