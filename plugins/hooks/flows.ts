import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type Flow, flowId, flowLifetimeMs, unexpiredFlows } from '../../src/core/flow.ts'
import type { Services } from '../../src/services.ts'
import type { SealedCookies } from './cookies.ts'

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

/**
 * The sign-ins in flight, each in a sealed cookie of its own. With one cookie for all, a tab would write back what it saw when it sent its
 * request, and tabs that begin or finish at the same moment would remove each other's sign-ins.
 */
async function flows(app: FastifyInstance, { clock, sealedCookies }: Options) {
  const { name, attributes, seal, open } = sealedCookies.flow
  const cookieName = (flow: Flow) => `${name}-${flowId(flow).slice(0, 12)}`

  app.decorateRequest('flows', {
    getter(this: FastifyRequest) {
      const sealed = Object.entries(this.cookies).filter(([key]) => key.startsWith(`${name}-`))
      const opened = sealed.map(([, value]) => open(value ?? '', this.log)?.values.flow as Flow | undefined)
      return unexpiredFlows(
        opened.filter(flow => flow !== undefined),
        clock.now()
      )
    }
  })

  app.decorateReply('setFlowCookie', function (this: FastifyReply, flow: Flow) {
    return this.setCookie(cookieName(flow), seal({ flow }), attributes(flow.startedAtMs + flowLifetimeMs - clock.now()))
  })
  app.decorateReply('reassignFlows', function (this: FastifyReply, owner: string) {
    for (const flow of this.request.flows) {
      if (flow.startsSession && flow.owner !== owner) this.setFlowCookie({ ...flow, owner })
    }
    return this
  })
  app.decorateReply('clearFlowCookies', function (this: FastifyReply, flows: readonly Flow[]) {
    for (const flow of flows) this.setCookie(cookieName(flow), '', { ...attributes(0), expires: new Date(0) })
    return this
  })
}

export default fp(flows, { name: 'flows', dependencies: ['cookies'] })
