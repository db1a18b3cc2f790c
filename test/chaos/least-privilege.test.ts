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

// The ACL command that operators copy from the guide, and the rights that the list below it calls optional.
const manual = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operating.md'), 'utf8')
const [, command = '', list = ''] =
  /```\n(ACL SETUSER grantkeeper on >PASSWORD .+)\n```\n[\s\S]+?\n\n(- `[\s\S]+?)\n\n[^-]/.exec(manual) ?? []
const optional = new Set([...list.matchAll(/^- `([^`]+)`/gm)].flatMap(([, rights = '']) => rights.split(/\s+/)))
const withoutOptional = (user: string) =>
  command
    .replace('grantkeeper', user)
    .split(' ')
    .filter(right => !optional.has(right))
    .join(' ')

/** Runs the command in redis-cli, as an operator would. */
function runInRedisCli(line: string, port: number, ca: string): string {
  const input = `${line.replace('PASSWORD', 'p%ss')}\n`
  return execFileSync('redis-cli', ['-p', `${port}`, '--tls', '--cacert', ca], { input, encoding: 'utf8' })
}

t.test('the documented Redis ACL suffices, over TLS', async t => {
  const { ca, cert, key } = makeCertificates(t.testdir())
  const port = await freePort()
  const tls = ['--port', '0', '--tls-port', `${port}`, '--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key]
  await startRedis(t, [...tls, '--tls-auth-clients', 'no'])
  const server = { port, ca: readFileSync(ca) }
  const say = <T>(name: string, ...args: string[]) => administer(server, say => say(name, ...args) as Promise<T>)
  t.ok(optional.size > 0 && [...optional].every(right => command.split(' ').includes(right)), 'the optional rights are part of the command')
  t.equal(runInRedisCli(command, port, ca), 'OK\n')
  t.equal(runInRedisCli(withoutOptional('minimal'), port, ca), 'OK\n')
  const fleet = await startFleet(t, {
    redisUrl: ['grantkeeper', 'grantkeeper', 'minimal'].map(user => `rediss://${user}:p%25ss@127.0.0.1:${port}`),
    environment: { NODE_EXTRA_CA_CERTS: ca },
    switches
  })

  await t.test('requests are served and tokens renewed', async t => {
    const sessions = await startSessions(t, fleet)
    const startMs = performance.now()
    await nextRenewal(fleet)
    await nextRenewal(fleet)
    await sessions.stop()
    assertServed(t, 'cached session', sessions.lasting.since(startMs), [])
    assertServed(t, 'session with renewals', sessions.renewing.since(startMs), [])
    t.match(fleet.sandbox.vendor('productboard').counts, { refusedRefreshes: 0, reuses: 0 })
  })

  await t.test('an instance without the change feed reads Redis on every request and logs a warning', async t => {
    const reads = async () => Number(/cmdstat_hmget:calls=(\d+)/.exec(await say('INFO', 'commandstats'))?.[1])
    const browser = await fleet.signIn('ignition')
    const readsFor = async ({ url }: Instance) => {
      t.equal((await browser.fetch(`${url}${path}`)).status, 200)
      const before = await reads()
      for (let i = 0; i < 20; i++) t.equal((await browser.fetch(`${url}${path}`)).status, 200)
      return (await reads()) - before
    }
    const [one, two, minimal] = fleet.instances as [Instance, Instance, Instance]
    for (const instance of [one, two]) {
      // The last-seen update is itself a change that may arrive late, and on a busy machine an instance may lose its change feed and
      // read everything again.
      await eventually('twenty requests cause two reads at most', async () => (await readsFor(instance)) <= 2)
    }
    t.equal(await readsFor(minimal), 20)
    t.match(fleet.instances[2]?.output(), /does not report changes/)
  })

  await t.test('logout succeeds without the right to wait for a replica', async t => {
    for (const { url } of fleet.instances) {
      const browser = await fleet.signIn('ignition')
      t.equal((await browser.fetch(`${url}/logout`, { method: 'POST' })).status, 204)
    }
  })

  await t.test('Redis refused no other command', async t => {
    const refused = (await say<unknown[][]>('ACL', 'LOG')).map(entry => [
      entry[entry.indexOf('username') + 1],
      entry[entry.indexOf('object') + 1]
    ])
    const commands = new Set(refused.map(String))
    t.ok(commands.delete('minimal,client|id'))
    // The scan for expired sessions may or may not have run by now.
    commands.delete('minimal,scan')
    t.same(commands, new Set())
  })

  await t.test('`grantkeeper reseal` names the right that it lacks', async t => {
    const [grantkeeper, , minimal] = fleet.instances
    const refused = await reseal(t, minimal?.environment ?? {})
    t.equal(refused.code, 1)
    t.match(refused.output, /NOPERM .*scan/i)
    const done = await reseal(t, grantkeeper?.environment ?? {})
    t.equal(done.code, 0, done.output)
    t.match(done.output, /[1-9]\d* records of [1-9]\d* users: 0 resealed/)
  })
})
