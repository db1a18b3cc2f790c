const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const hostName = new RegExp(`^${label}(?:\\.${label})*$`, 'i')

/** RFC 1123 §2.1: labels of letters, digits and hyphens. Also a single label, and what looks like an IPv4 address. */
export const isHostName = (text: string): boolean => text.length <= 253 && hostName.test(text)

/** Names that no public server has (RFC 6761, RFC 6762, RFC 8375, RFC 9476), or that routers and companies use inside. */
const privateDomains = new Set([
  'alt',
  'arpa',
  'corp',
  'example',
  'home',
  'internal',
  'intranet',
  'invalid',
  'lan',
  'local',
  'localdomain',
  'localhost',
  'onion',
  'private',
  'test'
])

/**
 * Whether text can be the name of a server on the internet: two labels at least, and no IP address in any notation. Names in punycode are refused
 * because they can look like another name (UTS #39).
 */
export function isPublicHostName(text: string): boolean {
  const labels = text.toLowerCase().split('.')
  const top = labels.at(-1) ?? ''
  return (
    isHostName(text) &&
    labels.length >= 2 &&
    /^[a-z]{2,}$/.test(top) &&
    !privateDomains.has(top) &&
    !labels.some(label => label.startsWith('xn--'))
  )
}

/** Whether a host lies below a suffix such as `.example.com`, or is `example.com` itself. */
export const isBelow = (host: string, suffix: string): boolean =>
  host === suffix.replace(/^\./, '') || host.endsWith(`.${suffix.replace(/^\./, '')}`)
