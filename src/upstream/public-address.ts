import { BlockList, isIP } from 'node:net'

/** IANA IPv4 Special-Purpose Address Registry (RFC 6890): none of these is a host that a vendor serves the world from. */
const reservedIPv4: [network: string, bits: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // Carrier-grade NAT; metadata at Alibaba.
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // Looks public, and is the host below an Azure machine.
  ['169.254.0.0', 16], // Link-local; metadata nearly everywhere.
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

/** What is not public inside 2000::/3: protocol assignments with Teredo, documentation twice, 6to4. */
const reservedIPv6: [network: string, bits: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20]
]

/** IPv6 that is an IPv4 address underneath: mapped (RFC 4291 §2.5.5.2), and NAT64 (RFC 6052), through which IPv6-only hosts reach the world. */
const prefixesOfIPv4 = ['::ffff:', '64:ff9b::']

const reserved = new BlockList()
/** RFC 4291 §2.4: of IPv6 only 2000::/3 has been given out, so that loopback, unique local, link-local and whatever comes are outside. */
const assigned = new BlockList()
assigned.addSubnet('2000::', 3, 'ipv6')
for (const prefix of prefixesOfIPv4) assigned.addSubnet(`${prefix}0.0.0.0`, 96, 'ipv6')
for (const [network, bits] of reservedIPv6) reserved.addSubnet(network, bits, 'ipv6')
for (const [network, bits] of reservedIPv4) {
  reserved.addSubnet(network, bits, 'ipv4')
  for (const prefix of prefixesOfIPv4) reserved.addSubnet(prefix + network, 96 + bits, 'ipv6')
}

/** Whether an address belongs to the world at large, and not to this machine, its network or its cloud. What is no address is not public. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !reserved.check(address, 'ipv4')
  return family === 6 && assigned.check(address, 'ipv6') && !reserved.check(address, 'ipv6')
}
