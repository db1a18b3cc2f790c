import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { timestamp } from '../../src/core/connections/view.ts'
import { type Invitation, parseInviterName } from '../../src/core/vault/invitations.ts'

type Named = { Params: { provider: string }; Body: { name?: unknown } | null | undefined }

/** The inviter's side: making, seeing and withdrawing the links with which somebody else connects a provider for this session. */
async function invitations(app: FastifyInstance, { publicUrl }: { publicUrl: string }) {
  /** The owner of the session that its cookie names, if it lives; to look at what was asked for is to be here. */
  async function ownerSeen(request: FastifyRequest): Promise<string | undefined> {
    const held = request.sessionRef && (await app.vault.open(request.sessionRef, []))
    if (held) request.touchSession(held.session)
    return held?.session.value.owner
  }

  app.post<Named>('/connections/:provider/invitation', async (request, reply) => {
    const { definition } = app.getProvider(request.params.provider)
    const name = parseInviterName(request.body?.name)
    await request.consumeRateLimit('invitation')
    const held = await request.findSession()
    // Who invites before anything is connected has no session yet, and needs one to get the connection into.
    const session = held ?? (await app.vault.createSession())
    if (!held) reply.setSessionCookie(session).reassignFlows(session.owner)
    const { invitation, token } = await app.invitations.create(session, definition.name, name)
    return reply.code(201).send({ ...shown(invitation), url: `${publicUrl}/invitations/${token}` })
  })

  app.get('/invitations', async request => {
    const owner = await ownerSeen(request)
    return { invitations: owner === undefined ? [] : (await app.invitations.list(owner)).map(shown) }
  })

  // By its id: the link's token is the invited person's. One address has one name for its part.
  app.delete<{ Params: { token: string } }>('/invitations/:token', { config: { secretPath: true } }, async (request, reply) => {
    const owner = await ownerSeen(request)
    if (owner !== undefined) await app.invitations.withdraw(owner, request.params.token)
    return reply.code(204).send()
  })
}

/** Without the link's secret, which is told once. */
const shown = ({ id, provider, name, createdAtMs, expiresAtMs }: Invitation) => ({
  id,
  provider,
  ...(name !== '' && { name }),
  createdAt: timestamp(createdAtMs),
  expiresAt: timestamp(expiresAtMs)
})

export default fp(invitations, {
  name: 'invitations',
  dependencies: ['providers', 'session', 'flows', 'vault', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})
