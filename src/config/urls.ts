import { filledTemplate } from '../core/provider/text-rules.ts'
import type { EnvironmentReader } from './environment.ts'

export type UrlRules = {
  /** In production only loopback may be used without TLS. */
  readonly production: boolean
  /** Paths are appended to a base: it has no query, and its trailing slash is removed. An endpoint is used as it is (RFC 6749 §3.1). */
  readonly kind: 'base' | 'endpoint'
  readonly example: string
  /** It may have the expressions of a definition's URLs. */
  readonly isTemplate?: boolean
}

export type ParsedUrl = {
  /** In normal form, a template as it is set; a base without its trailing slash. */
  readonly href: string
  /** In a template something stands for each expression. */
  readonly url: URL
}

/** The variable as an absolute http(s) URL. `undefined` when unset or invalid; the problem is noted. */
export function readUrl(env: EnvironmentReader, name: string, { production, kind, example, isTemplate }: UrlRules): ParsedUrl | undefined {
  const given = env.text(name, example)
  if (given === undefined) return undefined
  const text = isTemplate ? (filledTemplate(given, 'url') ?? '') : given
  const url = URL.parse(text)
  const problem =
    !url || !/^https?:\/\/\S+$/i.test(text) || url.hostname.includes('*')
      ? 'must be an absolute http or https URL'
      : url.username !== '' || url.password !== ''
        ? 'must not contain a user name or password'
        : text.includes('#') || (kind === 'base' && text.includes('?'))
          ? `must not contain a ${kind === 'base' ? 'query or ' : ''}fragment`
          : production && url.protocol === 'http:' && !isLoopback(url.hostname)
            ? 'must be https'
            : undefined
  if (url && problem === undefined) {
    const href = text === given ? url.href : given
    return { href: kind === 'base' ? href.replace(/\/+$/, '') : href, url }
  }
  env.addProblem(`${name} ${problem}, for example ${name}=${example}.`)
  return undefined
}

/** RFC 6454 §6.2: scheme, host and port, and nothing else. `*` and `null` are not origins. */
export function parseOrigin(text: string): ParsedOrigin | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || text.includes('*')) return undefined
  return url.origin === text.replace(/\/$/, '').toLowerCase() ? originOf(url) : undefined
}

/** An http(s) origin (RFC 6454) and its parts. */
export type ParsedOrigin = {
  /** Serialized, without a trailing slash. */
  readonly origin: string
  /** Host name and port, the port only where it is not the scheme's default: as in a `Host` header. */
  readonly host: string
  readonly hostname: string
  /** The scheme's default where the URL has none. */
  readonly port: number
  readonly isHttps: boolean
}

export function originOf({ origin, host, hostname, port, protocol }: URL): ParsedOrigin {
  const isHttps = protocol === 'https:'
  return Object.freeze({ origin, host, hostname, port: Number(port) || (isHttps ? 443 : 80), isHttps })
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || host === '::1' || /^127(\.\d+){3}$/.test(host)
