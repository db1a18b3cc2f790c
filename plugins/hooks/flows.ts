import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type Flow, flowId, flowLifetimeMs, unexpiredFlows } from '../../src/core/flow.ts'
import type { Clock } from '../../src/core/ports.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The sign-ins under way in this browser, oldest first. */
    flows: readonly Flow[]
  }
  interface FastifyReply {
    setFlowCookie(flow: Flow): FastifyReply
    clearFlowCookies(flows: readonly Flow[]): FastifyReply
    /** First sign-ins that are still under way belong to this owner's session from here on, since the browser has it now. */
    reassignFlows(owner: string): FastifyReply
  }
}

/**
 * The sign-ins under way, each in a sealed cookie of its own. In one cookie for all, a tab would write back what it saw when it
 * was asked, and tabs that begin or end in the same moment would take each other's sign-ins away.
 */
async function flows(app: FastifyInstance, { clock }: { clock: Clock }) {
  const { name, attributes, seal, open } = app.cookieKinds.flow
  const nameOf = (flow: Flow) => `${name}-${flowId(flow).slice(0, 12)}`

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
    return this.setCookie(nameOf(flow), seal({ flow }), attributes(flow.startedAtMs + flowLifetimeMs - clock.now()))
  })
  app.decorateReply('reassignFlows', function (this: FastifyReply, owner: string) {
    for (const flow of this.request.flows) {
      if (flow.startsSession && flow.owner !== owner) this.setFlowCookie({ ...flow, owner })
    }
    return this
  })
  app.decorateReply('clearFlowCookies', function (this: FastifyReply, flows: readonly Flow[]) {
    for (const flow of flows) this.setCookie(nameOf(flow), '', { ...attributes(0), expires: new Date(0) })
    return this
  })
}

export default fp(flows, { name: 'flows', dependencies: ['cookies'] })
