import { isIPv4, isIPv6 } from 'node:net'

/**
 * The network that a client's address is counted by: an IPv4 address itself, of an IPv6 address the first 64 bits, since whoever
 * has one has all below them (RFC 4291 §2.5.4, RFC 8981).
 * @returns `192.0.2.1` or `2001:db8:0:0::/64`
 */
export const clientNetwork = (address: string): string => prefixOf(address, 4)

/** The site that a network belongs to: of an IPv6 address the first 48 bits, which one customer may have (RFC 6177). @returns `192.0.2.1` or `2001:db8:0::/48` */
export const clientSite = (address: string): string => prefixOf(address, 3)

/** @param groups of 16 bits, of an IPv6 address */
function prefixOf(address: string, groups: number): string {
  // RFC 4291 §2.5.5.2, RFC 6052 §2.1: an IPv4 address in another's clothes.
  const dotted = /^(?:::ffff:|64:ff9b::)([\d.]+)$/i.exec(address)?.[1] ?? ''
  const mapped = isIPv4(dotted) ? dotted : ofNat64(address)
  if (mapped !== undefined) return mapped
  const [plain = ''] = address.split('%', 1)
  return isIPv6(plain) ? `${groupsOf(plain).slice(0, groups).join(':')}::/${groups * 16}` : address
}

/** The same, with the last 32 bits as groups. */
function ofNat64(address: string): string | undefined {
  const [, high, low] = /^64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/i.exec(address) ?? []
  if (low === undefined) return undefined
  const [a, b] = [Number.parseInt(high ?? '0', 16), Number.parseInt(low, 16)]
  return [a >> 8, a & 255, b >> 8, b & 255].join('.')
}

/** The eight groups, without leading zeros. An IPv4 tail counts as one here: it is not among the first four. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map(group => group.replace(/^0+(?=.)/, '')))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const missing = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...Array<string>(Math.max(0, missing)).fill('0'), ...after]
}
