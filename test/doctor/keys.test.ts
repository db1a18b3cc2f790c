import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { newKey } from '../support/gateway.ts'
import { examine, soundVariables } from './support.ts'

const area = 'keys'

t.test('no key is generated', async t => {
  const DATA_DIR = t.testdir()
  const { has, hasNoError } = await examine(t, { DATA_DIR })
  has({ level: 'ok', area, subject: /TOKEN_KEYS/, message: /a start will generate/ })
  hasNoError()
  t.strictSame(readdirSync(DATA_DIR), [])
  const missing = join(DATA_DIR, 'data')
  await examine(t, { DATA_DIR: missing })
  t.notOk(existsSync(missing))
})

t.test('the number of keys in each ring is told', async t => {
  const { has } = await examine(t, { ...soundVariables(t), TOKEN_KEYS: `${newKey()},${newKey()}` })
  has({ level: 'ok', area, subject: /SESSION_KEYS/, message: /one key/ })
  has({ level: 'ok', area, subject: /TOKEN_KEYS/, message: /2 keys/ })
})

t.test('a key in both rings is a warning', async t => {
  const key = newKey()
  const { has } = await examine(t, { ...soundVariables(t), SESSION_KEYS: key, TOKEN_KEYS: `${newKey()},${key}` })
  has({ level: 'warning', area, message: /share a key/, cure: /openssl rand/ })
})

t.test('generated keys that others may read are an error', async t => {
  const DATA_DIR = t.testdir()
  const file = join(DATA_DIR, 'keys.json')
  writeFileSync(file, JSON.stringify({ session: [newKey()], token: [newKey()] }))
  chmodSync(file, 0o644)
  const { has } = await examine(t, { DATA_DIR })
  has({ level: 'error', area, message: /mode 0644.+read it/, cure: /chmod 600/ })
  has({ level: 'ok', area, subject: /TOKEN_KEYS/, message: /generated in .+ is used/ })
})

t.test('a damaged file of generated keys is an error, and stays as it is', async t => {
  const DATA_DIR = t.testdir({ 'keys.json': '{' })
  const { has } = await examine(t, { DATA_DIR })
  has({ level: 'error', area, message: /is not a Grantkeeper key file/, cure: /[Rr]estore/ })
  t.strictSame(readdirSync(DATA_DIR), ['keys.json'])
})

t.test('a file of a secret that others may read is a warning, without its path', async t => {
  const DATA_DIR = t.testdir()
  const file = join(DATA_DIR, 'session-keys')
  writeFileSync(file, newKey())
  chmodSync(file, 0o644)
  const { has, findings } = await examine(t, { DATA_DIR, SESSION_KEYS_FILE: file, TOKEN_KEYS: newKey() })
  has({ level: 'warning', area, subject: /SESSION_KEYS_FILE/, message: /0644.+read it/, cure: /chmod 660 "\$SESSION_KEYS_FILE"/ })
  t.notMatch(JSON.stringify(findings), 'session-keys')
})

t.test('a DATA_DIR that everyone may write to is an error', async t => {
  const variables = soundVariables(t)
  chmodSync(variables.DATA_DIR, 0o777)
  const { has } = await examine(t, variables)
  has({ level: 'error', area, subject: /DATA_DIR/, message: /everyone .+ may write/, cure: /chmod 700/ })
})

t.test('a directory that nothing uses is not examined', async t => {
  const variables = { ...soundVariables(t), REDIS_URL: `redis://127.0.0.1:${await freePort()}` }
  writeFileSync(join(variables.DATA_DIR, 'keys.json'), '{}', { mode: 0o644 })
  const { findings } = await examine(t, variables)
  t.notOk(findings.some(({ message, subject }) => subject === 'DATA_DIR' || message.includes('keys.json')))
})
