import t from 'tap'
import { clientNetwork, clientSite } from '../../../src/core/guards/client-network.ts'

const cases: ReadonlyArray<readonly [address: string, network: string]> = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002:ffff:0:0:1', '2001:db8:1:2::/64'],
  ['2001:DB8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['64:ff9b:1::192.0.2.1', '64:ff9b:1:0::/64'],
  ['64:ff9b::192.0.2.1', '192.0.2.1'],
  ['64:ff9b::c000:201', '192.0.2.1'],
  ['64:ff9b::1', '0.0.0.1'],
  ['not an address', 'not an address']
]

for (const [address, network] of cases) {
  t.test(`${address} is counted by ${network}`, async t => {
    t.equal(clientNetwork(address), network)
  })
}

t.test('the site of a client is its IPv6 /48 or its IPv4 address', async t => {
  t.equal(clientSite('2001:db8:1:2:3:4:5:6'), '2001:db8:1::/48')
  t.equal(clientSite('2001:db8::1'), '2001:db8:0::/48')
  t.equal(clientSite('192.0.2.1'), '192.0.2.1')
  t.equal(clientSite('::ffff:192.0.2.1'), '192.0.2.1')
})
