import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeCertificates } from '../stores/redis/certificates.ts'
import { administer, eventually } from '../stores/redis/topologies.ts'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import { reseal } from '../support/reseal.ts'
import { type Instance, startFleet } from './fleet.ts'
import { assertServed } from './results.ts'
import { nextRenewal, startSessions, switches } from './sessions.ts'

const path = '/proxy/ignition/reporting/clients'

// The operator copies it from there, and may leave out what stands in the list below it.
const manual = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operating.md'), 'utf8')
const [, command = '', list = ''] =
  /```\n(ACL SETUSER grantkeeper on >PASSWORD .+)\n```[\s\S]+?What may be left out.+\n([\s\S]+?)\n\n[^-]/.exec(manual) ?? []
const optional = new Set([...list.matchAll(/^- `(.+?)`/gm)].flatMap(([, rights = '']) => rights.split(' ')))
const least = (user: string) =>
  command
    .replace('grantkeeper', user)
    .split(' ')
    .filter(right => !optional.has(right))
    .join(' ')

/** As somebody who pastes it. */
function paste(line: string, port: number, ca: string): string {
  const input = `${line.replace('PASSWORD', 'p%ss')}\n`
  return execFileSync('redis-cli', ['-p', `${port}`, '--tls', '--cacert', ca], { input, encoding: 'utf8' })
}

t.test('over TLS, as users that may do what is documented and nothing else', async t => {
  const { ca, cert, key } = makeCertificates(t.testdir())
  const port = await freePort()
  const tls = ['--port', '0', '--tls-port', `${port}`, '--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key]
  await startRedis(t, [...tls, '--tls-auth-clients', 'no'])
  const server = { port, ca: readFileSync(ca) }
  const say = <T>(name: string, ...args: string[]) => administer(server, say => say(name, ...args) as Promise<T>)
  t.equal(optional.size, 9)
  t.equal(paste(command, port, ca), 'OK\n')
  t.equal(paste(least('untold'), port, ca), 'OK\n')
  const fleet = await startFleet(t, {
    redisUrl: ['grantkeeper', 'grantkeeper', 'untold'].map(user => `rediss://${user}:p%25ss@127.0.0.1:${port}`),
    environment: { NODE_EXTRA_CA_CERTS: ca },
    switches
  })

  await t.test('sessions go on and tokens are renewed', async t => {
    const sessions = await startSessions(t, fleet)
    const startMs = performance.now()
    await nextRenewal(fleet)
    await nextRenewal(fleet)
    await sessions.stop()
    assertServed(t, 'a session in memory', sessions.lasting.since(startMs), [])
    assertServed(t, 'a session whose token is renewed', sessions.renewing.since(startMs), [])
    t.match(fleet.sandbox.vendor('productboard').counts, { refusedRefreshes: 0, reuses: 0 })
  })

  await t.test('who may be told of changes answers from memory; who may not asks at every call, and says so at its start', async t => {
    const reads = async () => Number(/cmdstat_hmget:calls=(\d+)/.exec(await say('INFO', 'commandstats'))?.[1])
    const browser = await fleet.signIn('ignition')
    const readsFor = async ({ url }: Instance) => {
      t.equal((await browser.fetch(`${url}${path}`)).status, 200)
      const before = await reads()
      for (let i = 0; i < 20; i++) t.equal((await browser.fetch(`${url}${path}`)).status, 200)
      return (await reads()) - before
    }
    const [one, two, untold] = fleet.instances as [Instance, Instance, Instance]
    for (const instance of [one, two]) {
      // The note that the session was seen is a change like any other, and may come late; and on a busy machine an instance may not
      // have heard from Redis for so long that it asks for everything again.
      await eventually('twenty calls are two reads at most', async () => (await readsFor(instance)) <= 2)
    }
    t.equal(await readsFor(untold), 20)
    t.match(fleet.instances[2]?.output(), /does not report changes/)
  })

  await t.test('who may not wait for a replica is signed out all the same', async t => {
    for (const { url } of fleet.instances) {
      const browser = await fleet.signIn('ignition')
      t.equal((await browser.fetch(`${url}/logout`, { method: 'POST' })).status, 204)
    }
  })

  await t.test('nothing else was asked for', async t => {
    const refused = (await say<unknown[][]>('ACL', 'LOG')).map(entry => [
      entry[entry.indexOf('username') + 1],
      entry[entry.indexOf('object') + 1]
    ])
    const asked = new Set(refused.map(String))
    t.ok(asked.delete('untold,client|id'))
    // When it looks for ended sessions is a matter of time.
    asked.delete('untold,scan')
    t.same(asked, new Set())
  })

  await t.test('`npm run reseal` says which right it lacks', async t => {
    const [grantkeeper, , untold] = fleet.instances
    const without = await reseal(t, untold?.environment ?? {})
    t.equal(without.code, 1)
    t.match(without.output, /NOPERM .*scan/i)
    const done = await reseal(t, grantkeeper?.environment ?? {})
    t.equal(done.code, 0, done.output)
    t.match(done.output, /[1-9]\d* records of [1-9]\d* users: 0 resealed/)
  })
})
