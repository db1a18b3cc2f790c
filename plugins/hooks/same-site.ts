import type { ParsedOrigin } from '../../src/config/urls.ts'
import type { ResourcePolicy } from '../../src/core/guards/response-headers.ts'
import { siteOf } from '../../src/core/util/site.ts'

/**
 * Who may load a proxied response without CORS, as `<img>` does: pages of our own origin, and those of our site if the operator allows a
 * frontend on another origin of it. CORS decides about requests with fetch. Sites are estimated; browsers, which know the public suffix
 * list, check again.
 */
export function resourcePolicyFor(own: Pick<ParsedOrigin, 'origin' | 'hostname'>, allowedOrigins: Iterable<string>): ResourcePolicy {
  const others = [...allowedOrigins].filter(origin => origin !== own.origin).map(origin => new URL(origin))
  return others.some(({ hostname }) => siteOf(hostname) === siteOf(own.hostname)) ? 'same-site' : 'same-origin'
}
