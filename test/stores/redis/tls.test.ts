import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { freePort } from '../../support/free-port.ts'
import { startRedis } from '../../support/redis.ts'
import { openRedisAt } from '../open-redis.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { administer, eventually, eventuallyUnavailable } from './topologies.ts'

const run = promisify(execFile)
const certificates = makeCertificates(t.testdir())

/** Options of a server that speaks TLS only, with clients and peers. */
const tls = ({ ca, cert, key }: Certificates, port: number) => [
  ...['--port', '0', '--tls-port', `${port}`, '--tls-replication', 'yes', '--tls-auth-clients', 'no'],
  ...['--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key]
]

const ca = readFileSync(certificates.ca)

const script = `
  import { openRedisStore } from ${JSON.stringify(import.meta.resolve('../../../src/stores/redis/store.ts'))}
  import { parseRedisUrl } from ${JSON.stringify(import.meta.resolve('../../../src/stores/redis/target.ts'))}
  import { eventually, pingSucceeds } from ${JSON.stringify(import.meta.resolve('./topologies.ts'))}
  const store = openRedisStore({ target: parseRedisUrl(process.argv[1]) })
  await eventually('it is connected', pingSucceeds(store))
  await store.commit('owner', { put: [['a', Buffer.from('record')]], ttlMs: 60_000 })
  process.stdout.write((await store.read('owner', ['a'])).join())
  await store.close()
`

/** In another process: Node reads NODE_EXTRA_CA_CERTS once, at its start. */
async function writeAndReadInAnotherProcess(url: string): Promise<string> {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificates.ca }
  return (await run(process.execPath, ['--input-type=module', '--eval', script, url], { env })).stdout
}

t.test('a certificate authority in NODE_EXTRA_CA_CERTS is trusted', async t => {
  const port = await freePort()
  await startRedis(t, tls(certificates, port))
  const url = `rediss://127.0.0.1:${port}`
  t.equal(await writeAndReadInAnotherProcess(url), 'record')

  const store = openRedisAt(t, url)
  await eventuallyUnavailable(/unable to verify|self-signed certificate/, () => store.ping())
})

t.test('the store connects to a Cluster over TLS', async t => {
  const [port, bus] = [await freePort(), await freePort()]
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--tls-cluster', 'yes', '--cluster-announce-ip', '127.0.0.1']
  await startRedis(t, [...tls(certificates, port), ...cluster])
  await administer({ port, ca }, async command => {
    await command('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
    await eventually('the cluster takes writes', async () => /state:ok/.test(String(await command('CLUSTER', 'INFO'))))
  })
  t.equal(await writeAndReadInAnotherProcess(`rediss+cluster://127.0.0.1:${port}`), 'record')
})

t.test('the store connects to sentinels and their master over TLS', async t => {
  const [port, sentinelPort] = [await freePort(), await freePort()]
  await startRedis(t, tls(certificates, port))
  await startRedis(t, ['--sentinel', ...tls(certificates, sentinelPort)])
  await administer({ port: sentinelPort, ca }, command => command('SENTINEL', 'MONITOR', 'main', '127.0.0.1', port, 1))
  t.equal(await writeAndReadInAnotherProcess(`rediss+sentinel://127.0.0.1:${sentinelPort}/main`), 'record')
})

t.test('rediss:// does not fall back to a connection without TLS', async t => {
  const { port } = await startRedis(t)
  const store = openRedisAt(t, `rediss://:secret@127.0.0.1:${port}`)
  await t.rejects(store.ping(), { code: 'store_unavailable' })
})
