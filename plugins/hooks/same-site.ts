import { isIP } from 'node:net'
import type { ResourcePolicy } from '../../src/core/guards/response-headers.ts'

/**
 * Who may load a proxied response without CORS, as `<img>` does: pages of our own origin alone, unless the operator allows a frontend
 * on another origin of the same site. Calls with fetch are no matter of this: CORS decides about them.
 */
export function resourcePolicyFor(publicUrl: string, allowedOrigins: ReadonlySet<string>): ResourcePolicy {
  const own = new URL(publicUrl)
  const others = [...allowedOrigins].map(origin => new URL(origin)).filter(({ origin }) => origin !== own.origin)
  return others.some(({ hostname }) => isSameSite(hostname, own.hostname)) ? 'same-site' : 'same-origin'
}

/**
 * Whether two hosts may share a site (HTML §7.1.1). Without the list of public suffixes: `a.example.co.uk` and `b.other.co.uk` count as
 * one. Browsers, which know the list, still keep these two apart.
 */
function isSameSite(one: string, other: string): boolean {
  if (one === other) return true
  const isName = (host: string) => isIP(host) === 0 && !host.startsWith('[') && host.includes('.')
  return isName(one) && isName(other) && siteOf(one) === siteOf(other)
}

const siteOf = (host: string): string => host.split('.').slice(-2).join('.')
