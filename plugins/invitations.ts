import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { timestamp } from '../src/core/connection-view.ts'
import { type Invitation, inviterName } from '../src/core/invitation.ts'

type Named = { Params: { provider: string }; Body: { name?: unknown } | null | undefined }

/** The inviter's side: making, seeing and withdrawing the links with which somebody else connects a provider for this session. */
async function invitations(app: FastifyInstance, { publicUrl }: { publicUrl: string }) {
  app.post<Named>('/connections/:provider/invitation', async (request, reply) => {
    const { definition } = app.providerNamed(request.params.provider)
    const name = inviterName(request.body?.name)
    await request.spend('invitation')
    const held = await request.liveSession()
    // Who invites before anything is connected has no session yet, and needs one to get the connection into.
    const session = held ?? (await app.vault.begin())
    if (!held) reply.giveSession(session).adoptFlows(session.owner)
    const { invitation, token } = await app.invitations.invite(session, definition.name, name)
    return reply.code(201).send({ ...shown(invitation), url: `${publicUrl}/invitations/${token}` })
  })

  app.get('/invitations', async request => {
    const session = await request.liveSession()
    return { invitations: session ? (await app.invitations.list(session.owner)).map(shown) : [] }
  })

  // By its id: the link's token is the invited person's. One address has one name for its part.
  app.delete<{ Params: { token: string } }>('/invitations/:token', { config: { secretPath: true } }, async (request, reply) => {
    const session = await request.liveSession()
    if (session) await app.invitations.withdraw(session.owner, request.params.token)
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
