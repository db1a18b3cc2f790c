import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type Invitation, inviterName } from '../src/core/invitation.ts'
import type { Session } from '../src/core/session.ts'

type Named = { Params: { provider: string }; Body: { name?: unknown } | null | undefined }

const mostBodyBytes = 16 * 1024
const timestamp = (ms: number): string => new Date(ms).toISOString()

/** The inviter's side: making, seeing and withdrawing the links with which somebody else connects a provider for this session. */
async function invitations(app: FastifyInstance, { publicUrl }: { publicUrl: string }) {
  app.post<Named>('/connections/:provider/invitation', { bodyLimit: mostBodyBytes }, async (request, reply) => {
    const { definition } = app.providerNamed(request.params.provider)
    const name = inviterName(request.body?.name)
    await request.spend('invitation')
    const held = await sessionOf(request)
    // Who invites before anything is connected has no session yet, and needs one to get the connection into.
    const session = held ?? (await app.vault.begin())
    if (!held) reply.giveSession(session).adoptFlows(session.owner)
    const { invitation, token } = await app.invitations.invite(session, definition.name, name)
    return reply.code(201).send({ ...shown(invitation), url: `${publicUrl}/invitations/${token}` })
  })

  app.get('/invitations', async request => {
    const session = await sessionOf(request)
    return { invitations: session ? (await app.invitations.list(session.owner)).map(shown) : [] }
  })

  // By its id: the link's token is the invited person's. One address has one name for its part.
  app.delete<{ Params: { token: string } }>('/invitations/:token', { config: { secretPath: true } }, async (request, reply) => {
    const session = await sessionOf(request)
    if (session) await app.invitations.withdraw(session.owner, request.params.token)
    return reply.code(204).send()
  })

  async function sessionOf(request: FastifyRequest): Promise<Session | undefined> {
    return request.ticket && (await app.vault.open(request.ticket, []))?.session.value
  }
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
