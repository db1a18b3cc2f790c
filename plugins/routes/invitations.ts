import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { checkAccount } from '../../src/core/connections/check-account.ts'
import { parseAccount } from '../../src/core/connections/errors.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { invitationUrl, invitationView, parseInviterName, wantedConnection } from '../../src/core/vault/invitations.ts'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'providers' | 'publicUrl' | 'vault' | 'invitations'>
type ByProvider = { Params: { provider: string }; Body: { name?: unknown; account?: unknown } | null | undefined }

/** The inviter's side: creates, lists and withdraws links with which someone else connects a provider for this session. */
async function invitationRoutes(app: FastifyInstance, { providers, publicUrl, vault, invitations }: Options) {
  /** Whose invitations the request means. Listing them counts as activity. */
  async function ownerOf(request: FastifyRequest): Promise<string | undefined> {
    const opened = await request.open()
    if (opened) request.touch(opened)
    return opened?.owner
  }

  app.post<ByProvider>('/connections/:provider/invitation', async (request, reply) => {
    const { definition } = findProvider(providers, request.params.provider)
    const name = parseInviterName(request.body?.name)
    await request.consumeRateLimit('invitation')
    const account = parseAccount(request.body?.account)
    if (account !== undefined) checkAccount((await request.openAll())?.connections, definition, account)
    const owner = (await ownerOf(request)) ?? (await startSession(reply))
    const { user } = (await request.openAll()) ?? {}
    const { invitation, token } = await invitations.create(owner, wantedConnection({ provider: definition.name, name, account, user }))
    return reply.code(201).send({ ...invitationView(invitation), url: invitationUrl(publicUrl, token) })
  })

  /** A browser that invites before anything is connected has no session yet, and needs one to receive the connection. */
  async function startSession(reply: FastifyReply): Promise<string> {
    const session = await vault.createSession()
    reply.setSessionCookie(session).reassignFlows(session.owner)
    return session.owner
  }

  app.get('/invitations', async request => {
    const owner = await ownerOf(request)
    return { invitations: owner === undefined ? [] : (await invitations.list(owner)).map(invitationView) }
  })

  // The parameter is the invitation's id here; the link's token belongs to the invited user. One URL pattern needs one parameter name.
  app.delete<{ Params: { token: string } }>('/invitations/:token', { config: { secretPath: true } }, async (request, reply) => {
    const owner = await ownerOf(request)
    if (owner !== undefined) await invitations.withdraw(owner, request.params.token)
    return reply.code(204).send()
  })
}

export default fp(invitationRoutes, {
  name: 'invitations',
  dependencies: ['principal', 'session', 'flows', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})
