/** Origins of one leading label below a domain: `https://*.preview.example.com`. */
export type OriginPattern = {
  /** `https://` */
  readonly scheme: string
  /** `.preview.example.com`, with a port where it is not the scheme's default. */
  readonly suffix: string
}

/**
 * The origins of frontends (RFC 6454), serialized. Exact ones may use a user's cookies. Patterns, for previews that come and go, count only
 * for requests with a bearer: whoever gets a host below the domain must not act with the cookies of whoever visits it.
 */
export class AllowedOrigins implements Iterable<string> {
  readonly #exact: ReadonlySet<string>
  readonly #patterns: readonly OriginPattern[]

  constructor(exact: Iterable<string>, patterns: readonly OriginPattern[] = []) {
    this.#exact = new Set(exact)
    this.#patterns = patterns
  }

  /** Whether pages of the origin may send requests with cookies. */
  has(origin: string): boolean {
    return this.#exact.has(origin)
  }

  /** Whether pages of the origin may send requests with a bearer. */
  hasForBearer(origin: string): boolean {
    return this.#exact.has(origin) || this.#patterns.some(pattern => matches(pattern, origin))
  }

  /** The exact ones. */
  [Symbol.iterator](): Iterator<string> {
    return this.#exact[Symbol.iterator]()
  }
}

function matches({ scheme, suffix }: OriginPattern, origin: string): boolean {
  if (!origin.startsWith(scheme) || !origin.endsWith(suffix)) return false
  const label = origin.slice(scheme.length, -suffix.length)
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label)
}

/** @returns `undefined` when the text is no pattern of one leading label, as `https://*.com` is not */
export function parseOriginPattern(text: string): OriginPattern | undefined {
  const match = /^(https?:\/\/)\*((?:\.[a-z0-9-]+)+(?::\d+)?)\/?$/i.exec(text)
  if (!match) return undefined
  const [, scheme = '', suffix = ''] = match
  // Parsed with a label in place of the star, so that everything else is as in any origin.
  const url = URL.parse(`${scheme}x${suffix}`)
  const origin = `${scheme}x${suffix}`.toLowerCase()
  if (!url || url.origin !== origin || url.hostname.split('.').length < minLabels(url.hostname)) return undefined
  return { scheme: `${url.protocol}//`, suffix: url.origin.slice(`${url.protocol}//x`.length) }
}

/** `x.localhost` is a host of this machine; anything else needs a domain of its own below the top level. */
const minLabels = (hostname: string): number => (hostname.endsWith('.localhost') ? 2 : 3)
