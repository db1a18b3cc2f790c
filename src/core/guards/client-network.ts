import { isIPv4, isIPv6 } from 'node:net'

/**
 * The network under which a client is counted: an IPv4 address itself; of an IPv6 address the first 64 bits, because a client that has one
 * address has all of its /64 (RFC 4291 §2.5.4, RFC 8981).
 * @returns `192.0.2.1` or `2001:db8:0:0::/64`
 */
export const clientNetwork = (address: string): string => prefixOf(address, 4)

/**
 * The site of a client: an IPv4 address itself; of an IPv6 address the first 48 bits, which one customer may have (RFC 6177).
 * @returns `192.0.2.1` or `2001:db8:0::/48`
 */
export const clientSite = (address: string): string => prefixOf(address, 3)

/** @param groupCount number of 16-bit groups of an IPv6 address */
function prefixOf(address: string, groupCount: number): string {
  // IPv4-mapped addresses (RFC 4291 §2.5.5.2) and NAT64 (RFC 6052 §2.1).
  const dotted = /^(?:::ffff:|64:ff9b::)([\d.]+)$/i.exec(address)?.[1] ?? ''
  const ipv4 = isIPv4(dotted) ? dotted : parseHexNat64(address)
  if (ipv4 !== undefined) return ipv4
  const [withoutZone = ''] = address.split('%', 1)
  return isIPv6(withoutZone) ? `${parseGroups(withoutZone).slice(0, groupCount).join(':')}::/${groupCount * 16}` : address
}

/** The IPv4 address in a NAT64 address whose last 32 bits are written as hexadecimal groups. */
function parseHexNat64(address: string): string | undefined {
  const [, high, low] = /^64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/i.exec(address) ?? []
  if (low === undefined) return undefined
  const [a, b] = [Number.parseInt(high ?? '0', 16), Number.parseInt(low, 16)]
  return [a >> 8, a & 255, b >> 8, b & 255].join('.')
}

/** The eight groups without leading zeros. An IPv4 tail counts as one group: callers read the first four at most. */
function parseGroups(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map(group => group.replace(/^0+(?=.)/, '')))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const missing = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...Array<string>(Math.max(0, missing)).fill('0'), ...after]
}
