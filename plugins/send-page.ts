import type { FastifyReply } from 'fastify'
import type { PageContext, PageContexts } from '../src/pages/context.ts'

type SendPageOptions = {
  /**
   * A form on the page is answered by a redirect to a provider. `form-action` would block it, and the provider's own redirects as well, so
   * that such a page does without.
   */
  readonly formsLeave?: boolean
}

/** Sends a page as HTML, in the visitor's language. */
export const sendPage = (
  reply: FastifyReply,
  contexts: PageContexts,
  render: (context: PageContext) => string,
  options: SendPageOptions = {}
): FastifyReply => {
  const context = contexts.for(reply.request.headers['accept-language'])
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', contentSecurityPolicy(contexts.logoUrl, options))
    .header('content-language', context.language)
    .header('vary', withAcceptLanguage(reply.getHeader('vary')))
    .send(render(context))
}

/** CORS may have set the header (RFC 9110 §12.5.5); what is sent without CORS varies by origin all the same. */
const withAcceptLanguage = (vary: string | string[] | number | undefined): string => `${vary ?? 'Origin'}, Accept-Language`

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
