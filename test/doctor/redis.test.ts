import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { administer } from '../stores/redis/topologies.ts'
import { freePort } from '../support/free-port.ts'
import { TestClock } from '../support/gateway.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { examine, soundVariables } from './support.ts'

const area = 'store'
/** What the guide asks of a Redis. */
const sound = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction']

const at = (t: Test, REDIS_URL: string) => ({ ...soundVariables(t), REDIS_URL })
const withUser = (t: Test, server: RedisServer, user: string) => at(t, server.url.replace('//', `//${user}@`))

t.test('a Redis as the guide asks has neither error nor warning, and no key of the check stays', async t => {
  const server = await startRedis(t, sound)
  const { has, findings } = await examine(t, at(t, server.url))
  for (const message of [/is reachable/, /version \d/, /appendonly yes/, /noeviction/, /clock .+ differ/, /rights/, /reports changes/])
    has({ level: 'ok', area, message })
  t.strictSame(
    // A busy machine may take long to respond.
    findings.filter(({ level, message }) => level !== 'ok' && !message.startsWith('responds within')),
    []
  )
  await administer(server, async command => {
    for (const key of (await command('KEYS', '*')) as string[]) t.match(await command('PTTL', key), /^[1-9]\d{0,3}$/, key)
  })
})

t.test('a Redis that does not run is an error', async t => {
  const { has } = await examine(t, at(t, `redis://127.0.0.1:${await freePort()}`))
  has({ level: 'error', area, message: /ECONNREFUSED/, cure: /Start Redis/ })
})

t.test('a host that does not exist is an error', async t => {
  const { has } = await examine(t, at(t, 'redis://redis.invalid'))
  has({ level: 'error', area, subject: /redis\.invalid:6379/, message: /ENOTFOUND|EAI_AGAIN/, cure: /host name in REDIS_URL/ })
})

t.test('a wrong password is an error, and is not repeated', async t => {
  const server = await startRedis(t, ['--requirepass', 'right'])
  const { has, findings } = await examine(t, withUser(t, server, ':wrong-canary'))
  has({ level: 'error', area, message: /WRONGPASS/, cure: /user and password/ })
  t.notMatch(JSON.stringify(findings), 'canary')
})

t.test('a password that is missing is an error', async t => {
  const server = await startRedis(t, ['--requirepass', 'right'])
  const { has } = await examine(t, at(t, server.url))
  has({ level: 'error', area, message: /NOAUTH/, cure: /REDIS_URL=redis:\/\/:PASSWORD@/ })
})

t.test('a Redis that does not respond is an error', async t => {
  const server = await startRedis(t)
  server.freeze()
  t.teardown(server.thaw)
  const { has } = await examine(t, at(t, server.url))
  has({ level: 'error', area, message: /cannot be used/, cure: /firewall/ })
})

t.test('a policy that evicts records is an error', async t => {
  const server = await startRedis(t, ['--maxmemory-policy', 'allkeys-lru'])
  const { has } = await examine(t, at(t, server.url))
  has({ level: 'error', area, message: /allkeys-lru.+deleted/, cure: /maxmemory-policy noeviction/ })
})

t.test('a Redis whose memory is full is an error', async t => {
  const server = await startRedis(t, [...sound, '--maxmemory', '1'])
  const { has } = await examine(t, at(t, server.url))
  has({ level: 'error', area, message: /a write is refused: OOM/, cure: /more memory/ })
  has({ level: 'warning', area, message: /% of maxmemory is used/, cure: /Raise maxmemory/ })
})

t.test('a Redis that saves nothing is a warning', async t => {
  const { has, hasNoError } = await examine(t, at(t, (await startRedis(t)).url))
  has({ level: 'warning', area, message: /nothing is saved.+a restart loses all grants/, cure: /appendonly yes/ })
  hasNoError()
})

t.test('a Redis that saves snapshots alone is a warning', async t => {
  const { has } = await examine(t, at(t, (await startRedis(t, ['--save', '3600 1'])).url))
  has({ level: 'warning', area, message: /only snapshots/, cure: /appendonly yes/ })
})

t.test('a file of writes that is not synchronized is a warning', async t => {
  const { has } = await examine(t, at(t, (await startRedis(t, [...sound, '--appendfsync', 'no'])).url))
  has({ level: 'warning', area, message: /appendfsync is no/, cure: /everysec/ })
})

t.test('a database that does not exist is an error', async t => {
  const { url } = await startRedis(t, [...sound, '--databases', '2'])
  const { has } = await examine(t, at(t, `${url}/7`))
  has({ level: 'error', area, message: /has no database 7/, cure: /number at the end of REDIS_URL/ })
})

t.test('a clock that differs by minutes is an error, by seconds a warning', async t => {
  const { url } = await startRedis(t, sound)
  const clock = new TestClock()
  clock.advance(20_000)
  const seconds = await examine(t, at(t, url), { clock })
  seconds.has({ level: 'warning', area, message: /ahead of its clock/, cure: /NTP/ })
  seconds.hasNoError()
  clock.advance(-320_000)
  const minutes = await examine(t, at(t, url), { clock })
  minutes.has({ level: 'error', area, message: /300.* s behind its clock/, cure: /NTP/ })
})

// The ACL command that operators copy from the guide.
const guide = readFileSync('docs/operating.md', 'utf8')

t.test('the rights of the guide are enough for the gateway and for the check', async t => {
  const server = await startRedis(t, sound)
  const line = /^ACL SETUSER .+$/m.exec(guide)?.[0].replace(/>\S+/, '>right') ?? ''
  const [, , name = ''] = line.split(' ')
  await administer(server, command => command('ACL', ...line.split(' ').slice(1)))
  const { has, hasNoError } = await examine(t, withUser(t, server, `${name}:right`))
  has({ level: 'ok', area, message: /has the rights/ })
  has({ level: 'ok', area, message: /reports changes/ })
  hasNoError()
})

t.test('a user without the right to a command of the store is an error that names it', async t => {
  const server = await startRedis(t, sound)
  await administer(server, command => command('ACL', 'SETUSER', 'app', 'on', '>right', '~*', '&*', '+@all', '-hset', '-evalsha'))
  const { has } = await examine(t, withUser(t, server, 'app:right'))
  has({ level: 'error', area, message: /may not run HSET, EVALSHA/, cure: /ACL SETUSER USER \+hset \+evalsha/ })
})

t.test('a user who may not use the keys is an error', async t => {
  const server = await startRedis(t, sound)
  await administer(server, command => command('ACL', 'SETUSER', 'app', 'on', '>right', '~other:*', '&*', '+@all'))
  const { has } = await examine(t, withUser(t, server, 'app:right'))
  has({ level: 'error', area, message: /may not write: NOPERM/, cure: /~grantkeeper:\*/ })
})

t.test('a user without optional rights is a warning that says what is lost', async t => {
  const server = await startRedis(t, sound)
  await administer(server, command => command('ACL', 'SETUSER', 'app', 'on', '>right', '~*', '+@all', '-scan', '-info', '-time'))
  const { has, hasNoError } = await examine(t, withUser(t, server, 'app:right'))
  has({ level: 'warning', area, message: /SCAN: grants of expired sessions are not revoked/, cure: /\+scan/ })
  has({ level: 'warning', area, message: /INFO is refused/, cure: /verify by hand/ })
  has({ level: 'warning', area, message: /does not report changes/, cure: /&__redis__:invalidate/ })
  hasNoError()
})
