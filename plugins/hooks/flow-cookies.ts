import type { FastifyReply, FastifyRequest } from 'fastify'
import { flowId, flowLifetimeMs, unexpiredFlows } from '../../src/core/flow.ts'
import type { Clock } from '../../src/core/ports.ts'
import type { SealedCookie } from './cookies.ts'

/** What a browser brings back from another server: single-use, and bound to this browser by its cookie. */
type InFlight = { readonly state: string; readonly startedAtMs: number }

export type FlowCookies<F extends InFlight> = {
  /** Oldest first. */
  read(request: FastifyRequest): F[]
  set(reply: FastifyReply, flow: F): FastifyReply
  clear(reply: FastifyReply, flows: readonly F[]): FastifyReply
}

type Options = { readonly cookie: SealedCookie; readonly clock: Clock }

/**
 * Each flow has a sealed cookie of its own. With one cookie for all, a tab would write back what it saw when it sent its request, and tabs
 * that begin or finish at the same moment would remove each other's.
 */
export function createFlowCookies<F extends InFlight>({ cookie, clock }: Options): FlowCookies<F> {
  const { name, attributes, seal, open } = cookie
  const cookieName = (flow: F) => `${name}-${flowId(flow).slice(0, 12)}`

  return {
    read: request => {
      const sealed = Object.entries(request.cookies).filter(([key]) => key.startsWith(`${name}-`))
      const opened = sealed.map(([, value]) => open(value ?? '', request.log)?.values.flow as F | undefined)
      return unexpiredFlows(
        opened.filter(flow => flow !== undefined),
        clock.now()
      )
    },

    set: (reply, flow) => reply.setCookie(cookieName(flow), seal({ flow }), attributes(flow.startedAtMs + flowLifetimeMs - clock.now())),

    clear: (reply, flows) =>
      flows.reduce((sent, flow) => sent.setCookie(cookieName(flow), '', { ...attributes(0), expires: new Date(0) }), reply)
  }
}
