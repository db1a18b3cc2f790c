import type { RawHeaders } from '../../src/core/guards/header-fields.ts'

/** Of an answer of our own. */
export const exposedHeaders = ['Grantkeeper-Error', 'Retry-After']

/**
 * What lets a page of an allowed origin read an answer (Fetch §3.2). @fastify/cors does not see proxied answers, and what it decides
 * at each request would be thrown away with the rest of Fastify's answer.
 * @param exposed names of the headers that the page may read
 */
export const corsHeaders = (origin: string, exposed: readonly string[]): RawHeaders => [
  'access-control-allow-origin',
  origin,
  'access-control-allow-credentials',
  'true',
  'access-control-expose-headers',
  exposed.join(', ')
]
