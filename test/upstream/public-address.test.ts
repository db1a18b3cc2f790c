import t from 'tap'
import { isPublicAddress } from '../../src/upstream/public-address.ts'

const notPublic: Record<string, readonly string[]> = {
  'this machine': ['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::1', '::', '0:0:0:0:0:0:0:1'],
  'private (RFC 1918)': ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  'link-local, with the metadata of clouds': [
    '169.254.0.1',
    '169.254.169.254',
    '169.254.170.2',
    'fe80::1',
    'febf::1',
    'fe80::1%1',
    'fe80::1%eth0'
  ],
  'metadata elsewhere': ['100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'],
  'carrier-grade NAT (RFC 6598)': ['100.64.0.0', '100.127.255.255'],
  'unique local and site-local': ['fc00::1', 'fdff:ffff::1', 'fec0::1'],
  'anycast that is no more': ['192.88.99.1'],
  'multicast, reserved and broadcast': ['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', 'ff02::1', 'ff0e::1'],
  'documentation and benchmarks': [
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '198.18.0.1',
    '198.19.255.255',
    '2001:db8::1',
    '3fff::1',
    '2001:2::1'
  ],
  'IPv4 mapped into IPv6': [
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:FFFF:A9FE:A9FE',
    '::ffff:100.64.0.1',
    '::ffff:0.0.0.0'
  ],
  'IPv4 behind NAT64': ['64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b::192.168.1.1', '64:ff9b:1::8.8.8.8', '64:ff9b:1::a00:1'],
  'IPv4 in forms that are no more': ['::127.0.0.1', '::8.8.8.8', '::ffff:0:10.0.0.1', '2002:a00:1::1', '2002:7f00:1::', '2001:0:a00:1::1'],
  'what nobody has been given': ['100::1', '4000::1', '5f00::1', '8000::1', 'e000::1'],
  'no address': [
    '',
    'localhost',
    'api.acme.example',
    '10.1',
    '0x7f.0.0.1',
    '2130706433',
    '127.0.0.1 ',
    '[::1]',
    '8.8.8.8:443',
    '1.2.3.4.5',
    '::g'
  ]
}

const isPublic: Record<string, readonly string[]> = {
  'the first and last beside a private network': [
    '1.0.0.0',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '223.255.255.255'
  ],
  'what vendors stand at': [
    '8.8.8.8',
    '104.16.1.1',
    '168.63.129.17',
    '2606:4700::6810:1',
    '2a00:1450:4001::200e',
    '2001:4860:4860::8888',
    '2600::'
  ],
  'public IPv4 under IPv6': ['::ffff:8.8.8.8', '::ffff:808:808', '64:ff9b::8.8.8.8', '64:ff9b::808:808']
}

for (const [what, addresses] of Object.entries(notPublic)) {
  t.test(`SEC-34: not public: ${what}`, async t => {
    for (const address of addresses) t.equal(isPublicAddress(address), false, JSON.stringify(address))
  })
}

for (const [what, addresses] of Object.entries(isPublic)) {
  t.test(`SEC-34: public: ${what}`, async t => {
    for (const address of addresses) t.equal(isPublicAddress(address), true, address)
  })
}
