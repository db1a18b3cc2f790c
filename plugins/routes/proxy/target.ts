import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../../src/core/errors.ts'
import { requestedConnection } from '../../../src/core/users/requested-connection.ts'

const prefix = '/proxy/'

/** Where a request outside of the mount path is sent: no route has it. */
const outside = '/.outside'

/**
 * Makes the URL for Fastify's router. For a proxied request the router needs the provider only: the rest is forwarded byte for byte, and
 * may not decode. The base itself, `/proxy/NAME`, uses the same route as the paths below it.
 * @param mountPath the path below which requests arrive, which the routes do not have
 */
export function createRewriteUrl(mountPath: string): (request: Pick<IncomingMessage, 'url'>) => string {
  return ({ url = '' }) => forRouter(mountPath === '' ? url : withoutMountPath(url, mountPath))
}

function withoutMountPath(url: string, mountPath: string): string {
  // Not in origin form: refused in any case.
  if (!url.startsWith('/')) return url
  const next = url[mountPath.length]
  if (!url.startsWith(mountPath) || !(next === undefined || next === '/' || next === '?')) return outside
  return next === '/' ? url.slice(mountPath.length) : `/${url.slice(mountPath.length)}`
}

function forRouter(url: string): string {
  if (!url.startsWith(prefix)) return url
  const end = segmentEnd(url, prefix.length)
  return end === prefix.length ? url : `${url.slice(0, end)}/`
}

/**
 * The raw target after `/proxy/NAME`: skips two segments, however they are encoded. It has no path for the API's base itself
 * (`/proxy/NAME`, `/proxy/NAME?q`).
 * @param url as it was received, below the mount path
 * @throws {GatewayError} `path_rejected` for a target that is not in origin form
 */
export function requestTarget(url: string, mountPath: string): string {
  // RFC 9112 §3.2.2: the absolute form names a host, which has no meaning here.
  if (!url.startsWith('/')) throw new GatewayError('path_rejected', 'The request target must begin with a slash.')
  return url.slice(segmentEnd(url, url.indexOf('/', mountPath.length + 1) + 1))
}

type Segment = {
  readonly provider: string
  /** Another base of the API. */
  readonly base: string | undefined
  /** The account. */
  readonly id: string | undefined
  /** The account, if the segment itself names it. */
  readonly account: string | undefined
}

/**
 * `NAME`, `NAME~BASE` for another base of the API, `NAME@ID` for one account, and both in either order. The header `Grantkeeper-Connection` is
 * the other way to name the account.
 * @param segment decoded
 * @throws {GatewayError} `header_rejected` when both name an account, and not the same
 */
export function parseSegment(segment: string, rawHeaders: readonly string[]): Segment {
  const header = requestedConnection(rawHeaders)
  const at = segment.indexOf('@')
  const tilde = segment.indexOf('~')
  if (at === -1 && tilde === -1) return { provider: segment, base: undefined, id: header, account: undefined }
  const end = at === -1 || (tilde !== -1 && tilde < at) ? tilde : at
  const account = at === -1 ? undefined : segment.slice(at + 1, tilde > at ? tilde : undefined)
  const base = tilde === -1 ? undefined : segment.slice(tilde + 1, at > tilde ? at : undefined)
  if (account !== undefined && header !== undefined && header !== account)
    throw new GatewayError('header_rejected', 'Grantkeeper-Connection names another account than the path. Keep one of them.')
  return { provider: segment.slice(0, end), base, id: account ?? header, account }
}

function segmentEnd(url: string, from: number): number {
  for (let i = from; i < url.length; i++) {
    const c = url[i]
    if (c === '/' || c === '?' || c === '#') return i
  }
  return url.length
}
