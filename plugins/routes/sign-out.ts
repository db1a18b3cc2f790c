import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { isUserOwner } from '../../src/core/users/owner.ts'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'publicUrl' | 'store' | 'vault' | 'revocation' | 'login'>

/** `POST /logout`: ends this browser's session. Nobody else can ever use what an unknown browser has connected, so that ends with it. */
async function signOut(app: FastifyInstance, { publicUrl, store, vault, revocation, login }: Options) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })

  app.post('/logout', async (request, reply) => {
    const { sessionRef } = request
    if (sessionRef && isUserOwner(sessionRef.owner)) {
      const signedIn = await vault.signOut(sessionRef)
      await login?.userLogin.forgetIssuerSession(sessionRef.owner, signedIn?.sid)
      await store.confirmReplicated(sessionRef.owner)
      reply.clearSessionCookie()
      const logoutUrl =
        signedIn && (await login?.client.endSessionUrl({ idToken: signedIn.idToken, postLogoutRedirectUri: `${publicUrl}/logout` }))
      return logoutUrl === undefined ? reply.code(204).send() : reply.send({ logoutUrl })
    }
    // Also with a cookie whose id was rotated: whoever has the newer one may be a thief.
    const deleted = sessionRef ? await vault.deleteOwner(sessionRef.owner) : []
    const revoking = deleted.map(revocation.revoke)
    if (sessionRef) await store.confirmReplicated(sessionRef.owner)
    await Promise.all(revoking)
    if (!request.hasBearer) reply.clearSessionCookie().clearFlowCookies(request.flows)
    return reply.code(204).send()
  })
}

export default fp(signOut, { name: 'sign-out', dependencies: ['session', 'flows', 'errors'], encapsulate: true })
