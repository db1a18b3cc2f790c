import type { FastifyReply } from 'fastify'
import type { PageContext } from '../src/pages/context.ts'

type SendPageOptions = {
  /**
   * A form on the page is answered by a redirect to a provider. `form-action` would block it, and the provider's own redirects as well, so
   * that such a page does without.
   */
  readonly formsLeave?: boolean
}

/** Sends a page as HTML. */
export const sendPage = (
  reply: FastifyReply,
  context: PageContext,
  render: (context: PageContext) => string,
  options: SendPageOptions = {}
): FastifyReply =>
  reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', contentSecurityPolicy(context.brand.logoUrl, options))
    .send(render(context))

/** The same as of all other responses, except for the logo, which is elsewhere. */
function contentSecurityPolicy(logoUrl: string | undefined, { formsLeave = false }: SendPageOptions): string {
  const directives = [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    `img-src 'self'${logoUrl === undefined ? '' : ` ${toSourceExpression(logoUrl)}`}`,
    "connect-src 'self'",
    ...(formsLeave ? [] : ["form-action 'self'"]),
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ]
  return directives.join('; ')
}

/** Matches the URL in any query, which a source expression cannot have. In it, two characters of a path would end the source or directive. */
function toSourceExpression(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname.replaceAll(';', '%3B').replaceAll(',', '%2C')
}
