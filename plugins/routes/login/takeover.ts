import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Session } from '../../../src/core/session.ts'
import { userRequired } from '../../../src/core/users/user.ts'
import type { LoginRouteOptions } from './login.ts'

type Options = Pick<LoginRouteOptions, 'store' | 'vault' | 'revocation'>

/**
 * What a browser had connected before its user signed in is offered to them once: it may have been somebody else who connected it, so it is
 * never merged without a click. Only our own page decides, and no frontend on an allowed origin.
 */
export async function takeover(app: FastifyInstance, { store, vault, revocation }: Options) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })

  /** The session with its offer, if it has one. */
  async function offerOf(request: FastifyRequest): Promise<(Session & { readonly takeover: string }) | undefined> {
    const opened = await request.open()
    if (!opened?.session) throw userRequired('This is decided in the browser in which it was connected.')
    const { takeover: from } = opened.session.value
    return from === undefined ? undefined : { ...opened.session.value, takeover: from }
  }

  // The offer ends last: after an outage in between, the same click goes on.
  app.post('/takeover', { config: { ownPage: true } }, async (request, reply) => {
    const session = await offerOf(request)
    if (!session) return reply.code(204).send()
    const taken = await vault.takeOver(session.takeover, session.owner)
    for (const connection of taken?.left ?? []) void revocation.revoke(connection)
    for (const { before, after } of taken?.replaced ?? []) revocation.revokeReplaced(before, after)
    await vault.endTakeoverOffer(session)
    return reply.code(204).send()
  })

  app.delete('/takeover', { config: { ownPage: true } }, async (request, reply) => {
    const session = await offerOf(request)
    if (!session) return reply.code(204).send()
    // Of several users to whom a copied cookie has brought the offer, the first one decides.
    const deleted = (await vault.isMoving(session.takeover)) ? [] : await vault.deleteOwner(session.takeover)
    const revoking = deleted.map(revocation.revoke)
    await store.confirmReplicated(session.takeover)
    await vault.endTakeoverOffer(session)
    await Promise.all(revoking)
    return reply.code(204).send()
  })
}
