import type { FastifyRequest } from 'fastify'
import { GatewayError } from '../../src/core/errors.ts'
import { prefersPage } from './accept.ts'

/** `Sec-Purpose` is the Fetch standard's; Chromium, Safari and Firefox sent the others before it. */
const purposeHeaders = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const

/** The browser fetches ahead what its user may never open: a link on a page, a suggestion of the address bar, a preview. */
export const isPrefetch = ({ headers }: FastifyRequest): boolean =>
  purposeHeaders.some(name => /\b(prefetch|prerender|preview)\b/i.test(String(headers[name] ?? '')))

/** A request by a script, an image or a frame, on whatever site, is not the user's wish: it could evict a sign-in that is. */
export function refuseEmbedded({ headers }: FastifyRequest): void {
  if ((headers['sec-fetch-dest'] ?? 'document') !== 'document')
    throw new GatewayError('csrf_rejected', 'A sign-in begins where a person opens this address, and not inside of another page.')
}

/** A person opens a page. A script's request must not be redirected: it would follow to another origin and fail there. */
export const isNavigation = ({ headers }: FastifyRequest): boolean =>
  (headers['sec-fetch-dest'] ?? 'document') === 'document' && prefersPage(headers)
