import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { connectionView } from '../../src/core/connections/view.ts'
import { connectMethods } from '../../src/pages/connect-methods.ts'
import { connectPage } from '../../src/pages/connect-page.ts'

type ConnectPageOptions = {
  publicUrl: string
  returnTo: string
  /** Why the person sees it who did not ask for it. */
  notice?: string
}

/** The page with every way to connect one provider, which says what is connected already: another account would take its place. */
export async function sendConnectPage(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  provider: string,
  { publicUrl, returnTo, notice }: ConnectPageOptions
): Promise<FastifyReply> {
  const settings = app.getProvider(provider)
  const held = request.sessionRef && (await app.vault.open(request.sessionRef, [provider]))
  if (held) request.touchSession(held.session)
  const view = connectionView(settings, { connection: held?.connections.get(provider)?.value, publicUrl })
  const page = connectPage(settings.definition, { view, ways: connectMethods(view, publicUrl, returnTo), returnTo, notice })
  return reply.type('text/html; charset=utf-8').send(page)
}
