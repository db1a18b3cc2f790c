import type { FastifyReply } from 'fastify'
import type { PageContext } from '../src/pages/context.ts'

/** Sends a page as HTML. */
export const sendPage = (reply: FastifyReply, context: PageContext, render: (context: PageContext) => string): FastifyReply =>
  reply.type('text/html; charset=utf-8').send(render(context))
