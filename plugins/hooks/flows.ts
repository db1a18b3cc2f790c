import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Flow } from '../../src/core/flow.ts'
import type { Services } from '../../src/services.ts'
import type { SealedCookies } from './cookies.ts'
import { createFlowCookies } from './flow-cookies.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The sign-ins in flight in this browser, oldest first. */
    flows: readonly Flow[]
  }
  interface FastifyReply {
    setFlowCookie(flow: Flow): FastifyReply
    clearFlowCookies(flows: readonly Flow[]): FastifyReply
    /** Assigns first sign-ins that are still in flight to this owner's session, since the browser has it now. */
    reassignFlows(owner: string): FastifyReply
  }
}

type Options = Pick<Services, 'clock'> & { readonly sealedCookies: SealedCookies }

/** The sign-ins in flight. */
async function flows(app: FastifyInstance, { clock, sealedCookies }: Options) {
  const cookies = createFlowCookies<Flow>({ cookie: sealedCookies.flow, clock })

  app.decorateRequest('flows', {
    getter(this: FastifyRequest) {
      return cookies.read(this)
    }
  })

  app.decorateReply('setFlowCookie', function (this: FastifyReply, flow: Flow) {
    return cookies.set(this, flow)
  })
  app.decorateReply('reassignFlows', function (this: FastifyReply, owner: string) {
    for (const flow of this.request.flows) {
      if (flow.startsSession && flow.owner !== owner) this.setFlowCookie({ ...flow, owner })
    }
    return this
  })
  app.decorateReply('clearFlowCookies', function (this: FastifyReply, flows: readonly Flow[]) {
    return cookies.clear(this, flows)
  })
}

export default fp(flows, { name: 'flows', dependencies: ['cookies'] })
