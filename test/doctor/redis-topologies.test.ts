import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import t, { type Test } from 'tap'
import { makeCertificates } from '../stores/redis/certificates.ts'
import { administer, startCluster, startSentinel, untilReplicated } from '../stores/redis/topologies.ts'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import { examine, soundVariables } from './support.ts'

const area = 'store'
const at = (t: Test, REDIS_URL: string) => ({ ...soundVariables(t), REDIS_URL })

const certificates = makeCertificates(t.testdir())
/** Options of a server that speaks TLS only. */
const tls = (port: number) => [
  ...['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no'],
  ...['--tls-ca-cert-file', certificates.ca, '--tls-cert-file', certificates.cert, '--tls-key-file', certificates.key]
]

// All tests share them: nodes and sentinels need seconds to find each other. The last test of the Cluster breaks it.
const [sentinelSet, cluster] = await Promise.all([startSentinel(t, { sentinels: 2, downAfterMs: 60_000 }), startCluster(t)])

t.test('a Redis with TLS whose authority is trusted is well', async t => {
  const port = await freePort()
  await startRedis(t, tls(port))
  const before = getCACertificates('default')
  t.teardown(() => setDefaultCACertificates(before))
  setDefaultCACertificates([...before, readFileSync(certificates.ca, 'utf8')])
  const { has, hasNoError } = await examine(t, at(t, `rediss://127.0.0.1:${port}`))
  has({ level: 'ok', area, message: /is reachable/ })
  hasNoError()
})

t.test('a certificate of an unknown authority is an error', async t => {
  const port = await freePort()
  await startRedis(t, tls(port))
  const { has } = await examine(t, at(t, `rediss://127.0.0.1:${port}`))
  has({ level: 'error', area, message: /certificate/, cure: /NODE_EXTRA_CA_CERTS/ })
})

t.test('redis:// to a server that expects TLS is an error', async t => {
  const port = await freePort()
  await startRedis(t, tls(port))
  const { has } = await examine(t, at(t, `redis://127.0.0.1:${port}`))
  has({ level: 'error', area, message: /cannot be used/, cure: /use rediss:\/\// })
})

t.test('rediss:// to a server without TLS is an error', async t => {
  const { port } = await startRedis(t)
  const { has } = await examine(t, at(t, `rediss://127.0.0.1:${port}`))
  has({ level: 'error', area, message: /cannot be used/, cure: /redis:\/\/\)/ })
})

t.test('a replica is an error', async t => {
  const { replicas } = sentinelSet
  const { has } = await examine(t, at(t, replicas[0]?.url ?? ''))
  has({ level: 'error', area, message: /is a replica/, cure: /master|redis\+sentinel/ })
})

t.test('sentinels and their master are well', async t => {
  const { url } = sentinelSet
  const { has, hasNoError, findings } = await examine(t, at(t, url))
  has({ level: 'ok', area, message: /one replica follows/ })
  t.equal(findings.filter(({ subject, message }) => subject.startsWith('sentinel ') && message.includes('knows the master')).length, 2)
  hasNoError()
})

t.test('a wrong name of the master is an error with the right one', async t => {
  const { sentinel } = sentinelSet
  const { has } = await examine(t, at(t, `redis+sentinel://127.0.0.1:${sentinel.port}/mymaster`))
  has({ level: 'error', area, subject: /^sentinel /, message: /no master named mymaster/, cure: /it knows main/ })
})

t.test('a sentinel that is down is a warning while another responds', async t => {
  const { url } = sentinelSet
  const { has, hasNoError } = await examine(t, at(t, url.replace('/main', `,127.0.0.1:${await freePort()}/main`)))
  has({ level: 'warning', area, subject: /^sentinel /, message: /ECONNREFUSED/ })
  hasNoError()
})

t.test('redis:// to a sentinel is an error', async t => {
  const { sentinel } = sentinelSet
  const { has } = await examine(t, at(t, sentinel.url))
  has({ level: 'error', area, message: /is a sentinel/, cure: /redis\+sentinel:/ })
})

t.test('a replica that does not confirm writes is an error', async t => {
  const { master, replicas } = sentinelSet
  await untilReplicated(master)
  replicas[0]?.freeze()
  t.teardown(() => replicas[0]?.thaw())
  const { has } = await examine(t, at(t, master.url))
  has({ level: 'error', area, message: /no replica confirms a write/, cure: /INFO replication/ })
})

t.test('a Cluster is well, and without replicas a warning', async t => {
  const { url, nodes } = cluster
  const { has, hasNoError } = await examine(t, at(t, url))
  for (const message of [/serves all slots/, /has the rights/, /reports changes/]) has({ level: 'ok', area, message })
  for (const { port } of nodes) {
    const subject = new RegExp(`:${port}$`)
    has({ level: 'ok', area, subject, message: /has the version/ })
    has({ level: 'warning', area, subject, message: /no replica that could take over/ })
  }
  hasNoError()
})

t.test('redis:// to a node of a Cluster is an error', async t => {
  const { nodes } = cluster
  const { has } = await examine(t, at(t, nodes[0]?.url ?? ''))
  has({ level: 'error', area, message: /is a node of a Cluster/, cure: /redis\+cluster:/ })
})

t.test('a Cluster that lacks a node is an error', async t => {
  const { url, nodes } = cluster
  for (const node of nodes.slice(0, 2)) await administer(node, command => command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no'))
  for (const node of nodes.slice(0, 2)) await administer(node, command => command('CLUSTER', 'DELSLOTSRANGE', 10_923, 16_383))
  await nodes[2]?.stop()
  const { has } = await examine(t, at(t, url))
  has({ level: 'error', area, message: /serves 10923 of 16384 slots/, cure: /missing nodes/ })
})

t.test('redis+cluster:// to a server alone is an error', async t => {
  const { port } = await startRedis(t)
  const { has } = await examine(t, at(t, `redis+cluster://127.0.0.1:${port}`))
  has({ level: 'error', area, message: /cannot be used/, cure: /This is no Cluster/ })
})
