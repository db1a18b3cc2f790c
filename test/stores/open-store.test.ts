import { existsSync } from 'node:fs'
import t from 'tap'
import { openStore } from '../../src/stores/open-store.ts'
import { parseRedisUrl } from '../../src/stores/redis/target.ts'

t.test('without a Redis target the store is a file', async t => {
  const dataDir = t.testdir()
  const store = await openStore({ dataDir, clock: Date })
  t.equal(store.description, `SQLite file ${dataDir}/grantkeeper.sqlite`)
  await store.close()
})

t.test('with a Redis target the store is Redis, also when it is down', async t => {
  const dataDir = `${t.testdir()}/data`
  const store = await openStore({ redis: parseRedisUrl('redis://127.0.0.1:1'), dataDir, clock: Date })
  t.equal(store.description, 'Redis at redis://127.0.0.1:1/0')
  await store.close()
  t.notOk(existsSync(dataDir))
})
