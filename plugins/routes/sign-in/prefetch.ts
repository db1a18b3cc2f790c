import type { FastifyRequest } from 'fastify'

/** `Sec-Purpose` is the Fetch standard's; the others are what Chromium, Safari and Firefox sent before it. */
const names = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const

/** The browser fetches ahead what its person may never ask for: a link on a page, a guess of the address bar, a preview. */
export const isPrefetch = ({ headers }: FastifyRequest): boolean =>
  names.some(name => /\b(prefetch|prerender|preview)\b/i.test(String(headers[name] ?? '')))
