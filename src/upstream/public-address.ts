import { BlockList, isIP } from 'node:net'

/** IANA IPv4 Special-Purpose Address Registry (RFC 6890): no vendor serves its API from any of these. */
const reservedIPv4: [network: string, bits: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // Carrier-grade NAT; metadata service at Alibaba.
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // Looks public, but is the host of an Azure virtual machine.
  ['169.254.0.0', 16], // Link-local; metadata service at most clouds.
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3] // Multicast, reserved, broadcast.
]

/** Not public inside 2000::/3: protocol assignments with Teredo, two documentation blocks, 6to4. */
const reservedIPv6: [network: string, bits: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20]
]

/** IPv6 prefixes that embed an IPv4 address: mapped (RFC 4291 §2.5.5.2) and NAT64 (RFC 6052), by which IPv6-only hosts reach IPv4. */
const prefixesOfIPv4 = ['::ffff:', '64:ff9b::']

const reserved = new BlockList()
/** RFC 4291 §2.4: only 2000::/3 is assigned as global unicast. Loopback, unique local and link-local addresses are outside of it. */
const assigned = new BlockList()
assigned.addSubnet('2000::', 3, 'ipv6')
for (const prefix of prefixesOfIPv4) assigned.addSubnet(`${prefix}0.0.0.0`, 96, 'ipv6')
for (const [network, bits] of reservedIPv6) reserved.addSubnet(network, bits, 'ipv6')
for (const [network, bits] of reservedIPv4) {
  reserved.addSubnet(network, bits, 'ipv4')
  for (const prefix of prefixesOfIPv4) reserved.addSubnet(prefix + network, 96 + bits, 'ipv6')
}

/** Whether an IP address is publicly routable, and not of this machine, its network or its cloud. `false` for anything else than an address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !reserved.check(address, 'ipv4')
  return family === 6 && assigned.check(address, 'ipv6') && !reserved.check(address, 'ipv6')
}
