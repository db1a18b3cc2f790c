import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../src/core/errors.ts'

const prefix = '/proxy/'

/** What the router sees of an address. Of a proxied call it needs the provider; the rest goes up byte for byte, decodable or not. */
export function routedUrl({ url = '' }: Pick<IncomingMessage, 'url'>): string {
  const third = url.startsWith(prefix) ? url.indexOf('/', prefix.length) : -1
  return third === -1 ? url : url.slice(0, third + 1)
}

/**
 * The raw target behind `/proxy/NAME`: two segments are skipped, however they are spelled.
 * @throws {GatewayError} `path_rejected`
 */
export function targetOf(url: string): string {
  // RFC 9112 §3.2.2 knows an absolute form as well; what its host would mean here nobody knows, so it is not guessed.
  if (!url.startsWith('/')) throw new GatewayError('path_rejected', 'The request target must begin with a slash.')
  const second = url.indexOf('/', 1)
  const third = url.indexOf('/', second + 1)
  return url.slice(third)
}
