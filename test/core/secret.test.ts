import { format, inspect } from 'node:util'
import { serialize } from 'node:v8'
import { pino } from 'pino'
import t from 'tap'
import { Secret } from '../../src/core/secret.ts'
import { connectionWith } from './support.ts'

const secret = new Secret('canary')

t.test('SEC-40: only reveal() shows a secret', async t => {
  t.equal(secret.reveal(), 'canary')
  const lines: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  logger.info(secret)
  logger.info(
    { secret, deep: { list: [secret] }, err: new Error(`with ${secret}`) },
    `in a message: ${secret}, %s %o %j`,
    secret,
    secret,
    secret
  )
  logger.child({ secret }).trace('x')
  const outputs = {
    'a template': `${secret}`,
    'a sum': `the ${String(secret)}`,
    'String()': String(secret),
    'toString()': secret.toString(),
    'an array joined': [secret].join(),
    'JSON.stringify': JSON.stringify(secret),
    'JSON.stringify, nested': JSON.stringify({ a: [secret] }, null, 2),
    'JSON.stringify of a connection': JSON.stringify(connectionWith({ credential: secret, refreshToken: secret })),
    inspect: inspect(secret),
    'inspect, nested and with hidden fields': inspect({ a: [secret] }, { showHidden: true, depth: 10 }),
    'inspect without the custom function': inspect(secret, { customInspect: false, showHidden: true }),
    'inspect of a connection': inspect(connectionWith({ credential: secret })),
    format: format('%s %o %O %j', secret, secret, secret, secret),
    'an error': inspect(new Error(`no ${secret}`, { cause: secret })),
    entries: JSON.stringify(Object.entries(secret)),
    'own names': JSON.stringify(Object.getOwnPropertyNames(secret)),
    spread: JSON.stringify({ ...secret }),
    assign: JSON.stringify(Object.assign({}, secret)),
    structuredClone: inspect(structuredClone(secret)),
    serialize: serialize(secret).toString('latin1'),
    'a query': new URLSearchParams({ secret: `${secret}` }).toString(),
    'the log': lines.join('')
  }
  for (const [way, text] of Object.entries(outputs)) t.notMatch(text, /canary/, way)
  t.equal(lines.length, 3)
})

t.test('SEC-40: a secret prints as [redacted]', async t => {
  t.equal(`${secret}`, '[redacted]')
  t.equal(JSON.stringify({ secret }), '{"secret":"[redacted]"}')
  t.equal(inspect(secret), '[redacted]')
  t.strictSame(Object.entries(secret), [])
  t.strictSame(Reflect.ownKeys(secret), [])
})

t.test('secrets are equal if their values are', async t => {
  t.ok(secret.equals(new Secret('canary')))
  t.notOk(secret.equals(new Secret('Canary')))
  t.notOk(secret.equals(undefined))
})
