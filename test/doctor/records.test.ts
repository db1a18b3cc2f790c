import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { createCipher } from '../../src/core/vault/cipher.ts'
import { ownerNamesOwner } from '../../src/core/vault/owner-names.ts'
import { createRecords } from '../../src/core/vault/records.ts'
import { openStore } from '../../src/stores/open-store.ts'
import { parseRedisUrl } from '../../src/stores/redis/target.ts'
import { administer } from '../stores/redis/topologies.ts'
import { newKey } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'
import { examine, soundVariables } from './support.ts'

const area = 'records'

/** Seals a record of each owner with the key, as a gateway would have. */
async function storeRecords(store: Store, key: string, owners: readonly string[]): Promise<void> {
  const { seal } = createRecords(createCipher([Buffer.from(key, 'base64')]))
  for (const owner of owners) await store.commit(owner, { put: [seal(owner, 'user', Buffer.from('plain'))], ttlMs: 600_000 })
}

async function fillSqlite(dataDir: string, key: string, owners: readonly string[]): Promise<void> {
  const store = await openStore({ dataDir, clock: { now: Date.now } })
  await storeRecords(store, key, owners)
  await store.close()
}

async function fillRedis(url: string, key: string, owners: readonly string[]): Promise<void> {
  const store = await openStore({ redis: parseRedisUrl(url), dataDir: 'none', clock: { now: Date.now } })
  await storeRecords(store, key, owners)
  await store.close()
}

t.test('records that the first key opens are well', async t => {
  const variables = soundVariables(t)
  await fillSqlite(variables.DATA_DIR, variables.TOKEN_KEYS, ['ada', 'grace', ownerNamesOwner])
  const { has, hasNoError } = await examine(t, variables)
  has({ level: 'ok', area, message: /^3 records of 3 owners open, sealed with the first key$/ })
  hasNoError()
})

t.test('records that no key opens are an error', async t => {
  const variables = soundVariables(t)
  await fillSqlite(variables.DATA_DIR, newKey(), ['ada'])
  await fillSqlite(variables.DATA_DIR, variables.TOKEN_KEYS, ['grace'])
  const { has } = await examine(t, variables)
  has({ level: 'error', area, message: /^1 of 2 records of 2 owners do not open$/, cure: /Add to TOKEN_KEYS/ })
})

t.test('an unreadable secret of user names is an error that says so', async t => {
  const variables = soundVariables(t)
  await fillSqlite(variables.DATA_DIR, newKey(), [ownerNamesOwner])
  const { has } = await examine(t, variables)
  has({ level: 'error', area, message: /the secret that names users/ })
})

t.test('records of an older key are a warning', async t => {
  const variables = soundVariables(t)
  await fillSqlite(variables.DATA_DIR, variables.TOKEN_KEYS, ['ada'])
  const { has, hasNoError } = await examine(t, { ...variables, TOKEN_KEYS: `${newKey()},${variables.TOKEN_KEYS}` })
  has({ level: 'warning', area, message: /^1 of 1 records .+ older key/, cure: /reseal/ })
  hasNoError()
})

t.test('records whose generated keys are lost are an error', async t => {
  const DATA_DIR = join(t.testdir(), 'data')
  mkdirSync(DATA_DIR, { mode: 0o700 })
  await fillSqlite(DATA_DIR, newKey(), ['ada'])
  const { has } = await examine(t, { DATA_DIR })
  has({ level: 'error', area, message: /do not open/, cure: /keys\.json/ })
})

t.test('generated keys open what they have sealed', async t => {
  const { DATA_DIR } = soundVariables(t)
  const key = newKey()
  writeFileSync(join(DATA_DIR, 'keys.json'), JSON.stringify({ session: [newKey()], token: [key] }), { mode: 0o600 })
  await fillSqlite(DATA_DIR, key, ['ada'])
  const { has } = await examine(t, { DATA_DIR })
  has({ level: 'ok', area, message: /open, sealed with the first key/ })
})

t.test('malformed keys say nothing about the records', async t => {
  const variables = soundVariables(t)
  await fillSqlite(variables.DATA_DIR, variables.TOKEN_KEYS, ['ada'])
  const { findings } = await examine(t, { ...variables, TOKEN_KEYS: 'short' })
  t.notOk(findings.some(finding => finding.area === area))
})

t.test('a part of many records is read', async t => {
  const variables = soundVariables(t)
  await fillSqlite(
    variables.DATA_DIR,
    variables.TOKEN_KEYS,
    Array.from({ length: 120 }, (_, i) => `owner-${i}`)
  )
  const { has } = await examine(t, variables)
  has({ level: 'ok', area, message: /^100 records of 100 owners open/ })
})

t.test('records in Redis are examined, and stay as they are', async t => {
  const redis = await startRedis(t)
  const variables = { ...soundVariables(t), REDIS_URL: redis.url }
  const empty = await examine(t, variables)
  empty.has({ level: 'ok', area, message: /nothing is stored yet/ })
  await fillRedis(redis.url, newKey(), ['ada'])
  const key = 'grantkeeper:{ada}'
  const dump = () => administer(redis, async command => [await command('DUMP', key), await command('PEXPIRETIME', key)].join())
  const before = await dump()
  const { has } = await examine(t, variables)
  has({ level: 'error', area, message: /^1 of 1 records/, cure: /TOKEN_KEYS/ })
  t.equal(await dump(), before)
})

t.test('a user who may not scan is a warning', async t => {
  const redis = await startRedis(t)
  await administer(redis, command => command('ACL', 'SETUSER', 'app', 'on', '>right', '~*', '&*', '+@all', '-scan'))
  const { has } = await examine(t, { ...soundVariables(t), REDIS_URL: redis.url.replace('//', '//app:right@') })
  has({ level: 'warning', area, message: /cannot be sampled/, cure: /\+scan/ })
})
