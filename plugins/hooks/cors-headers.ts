import type { RawHeaders } from '../../src/core/guards/header-fields.ts'

/** The headers of our own responses that a page may read. */
export const exposedHeaders = ['Grantkeeper-Error', 'Retry-After', 'WWW-Authenticate']

/** An origin whose pages may read a response. */
export type ReadingOrigin = {
  readonly origin: string
  /** Whether they may also send requests with cookies. */
  readonly allowsCookies: boolean
}

/**
 * The headers with which a page of an allowed origin may read a response (Fetch §3.2). @fastify/cors does not see proxied responses: they
 * bypass Fastify.
 * @param exposed names of the headers that the page may read
 */
export const corsHeaders = ({ origin, allowsCookies }: ReadingOrigin, exposed: readonly string[]): RawHeaders => [
  'access-control-allow-origin',
  origin,
  ...(allowsCookies ? ['access-control-allow-credentials', 'true'] : []),
  'access-control-expose-headers',
  exposed.join(', ')
]
