import { inspect } from 'node:util'
import t from 'tap'
import { parseRedisUrl } from '../../../src/stores/redis/target.ts'

const plain = { kind: 'single', tls: false, username: undefined, password: undefined, db: 0, master: undefined }

t.test('each kind of URL is parsed', async t => {
  t.same(parseRedisUrl('redis://10.0.0.1'), {
    ...plain,
    hosts: [{ host: '10.0.0.1', port: 6379 }],
    displayUrl: 'redis://10.0.0.1:6379/0'
  })
  t.same(parseRedisUrl('rediss://redis.internal:6380/2'), {
    ...plain,
    tls: true,
    hosts: [{ host: 'redis.internal', port: 6380 }],
    db: 2,
    displayUrl: 'rediss://redis.internal:6380/2'
  })
  t.same(parseRedisUrl('redis+cluster://a:1,b,[::1]:3/'), {
    ...plain,
    kind: 'cluster',
    hosts: [
      { host: 'a', port: 1 },
      { host: 'b', port: 6379 },
      { host: '::1', port: 3 }
    ],
    displayUrl: 'redis+cluster://a:1,b:6379,[::1]:3'
  })
  t.same(parseRedisUrl('rediss+sentinel://a,b:2/my-master/3'), {
    ...plain,
    kind: 'sentinel',
    tls: true,
    hosts: [
      { host: 'a', port: 26_379 },
      { host: 'b', port: 2 }
    ],
    db: 3,
    master: 'my-master',
    displayUrl: 'rediss+sentinel://a:26379,b:2/my-master/3'
  })
})

t.test('user and password are decoded, and not part of the display URL', async t => {
  const { username, password, displayUrl } = parseRedisUrl('redis://user%40name:p%2Fw@host:1/0')
  t.same([username, password?.reveal(), displayUrl], ['user@name', 'p/w', 'redis://host:1/0'])
  const cluster = parseRedisUrl('redis+cluster://:secret@a:1,b:2')
  t.match(cluster, { username: undefined, displayUrl: /^redis\+cluster:\/\/a:1,b:2$/ })
  t.equal(cluster.password?.reveal(), 'secret')
  const pasted = parseRedisUrl('redis://:a/b@c:d#?@host')
  t.equal(pasted.password?.reveal(), 'a/b@c:d#?', 'a password that is not percent-encoded')
  t.equal(pasted.displayUrl, 'redis://host:6379/0')
})

t.test('a printed target does not show the password', async t => {
  const target = parseRedisUrl('redis://:canary@host')
  for (const printed of [inspect(target, { depth: null, showHidden: true }), JSON.stringify(target)]) t.notMatch(printed, /canary/)
})

t.test('a malformed URL is explained with a valid one and without the password', async t => {
  const explained: Array<[text: string, why: RegExp]> = [
    ['', /^A Redis URL begins with redis:\/\//],
    ['localhost:6379', /begins with redis:\/\//],
    ['http://:secret@host', /begins with redis:\/\//],
    ['redis+tls://:secret@host', /begins with redis:\/\//],
    ['redis://', /^Host 1 is not a host name or IP address, with or without a port\. Use a URL such as redis:\/\/:password@/],
    ['redis://:secret@host name', /^Host 1 is not/],
    ['redis://:secret@host:', /^Host 1 is not/],
    ['redis://:secret@host?db=1', /^Host 1 is not/],
    ['redis://:secret@host:65536', /^The port of host 1 is not between 1 and 65535\./],
    ['redis+cluster://:secret@a:1,b:0', /^The port of host 2 .* Use a URL such as redis\+cluster:/],
    ['redis+cluster://:secret@a:1,', /^Host 2 is not/],
    ['redis://:secret@a,b', /^Several hosts need redis\+cluster:\/\/ or redis\+sentinel:\/\//],
    ['redis://secret@host', /^The part before the @ is not user:password or :password\./],
    ['redis://:@host', /^The part before the @/],
    ['redis://:secret%2@host', /^The user or the password contains a %/],
    ['redis://:secret@host/one', /^The part after the hosts is not the number of a database\./],
    ['redis://:secret@host/1/2', /^The part after the hosts/],
    ['redis+cluster://:secret@a/1', /^A Redis Cluster has database 0 only\./],
    ['redis+sentinel://:secret@a', /^The name of the master is missing.* Use a URL such as redis\+sentinel:.*\/mymaster$/],
    ['redis+sentinel://:secret@a/my master', /^The name of the master/],
    ['redis+sentinel://:secret@a/main/x', /^The part after the hosts/]
  ]
  for (const [text, why] of explained) {
    try {
      parseRedisUrl(text)
      t.fail(`accepted: ${text}`)
    } catch (error) {
      t.type(error, TypeError)
      t.match((error as Error).message, why)
      t.notMatch((error as Error).message, /secret/)
    }
  }
})
