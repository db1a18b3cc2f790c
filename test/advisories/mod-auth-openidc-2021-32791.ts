// mod_auth_openidc, CVE-2021-32791: AES-GCM with a static nonce and static associated data under one key. Equal plaintexts gave equal
// records, two records revealed the difference of their plaintexts, and nothing bound a record to its place.
//
// Here: an attacker reads the store's file, and then overwrites their own record with that of another user.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../src/stores/open-store.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn, startConnected } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'

type Row = { owner: string; field: string; record: Uint8Array }

t.test('CVE-2021-32791: equal grants give different records, and a record opens only for its owner', async t => {
  const dataDir = t.testdir()
  const gatewayStore = await openStore({ dataDir, clock: Date })
  const same = tokens({ access_token: 'same-access', refresh_token: 'same-refresh' })
  const s = await startConnected(t, { store: gatewayStore, environment: { DATA_DIR: dataDir }, token: (_, r) => json(r, 200, same) })
  const thief = new Browser()
  await signIn(s.gateway, thief)
  // Each refresh seals the same grant again.
  const refresh = () => s.browser.fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' })
  const store = new DatabaseSync(join(dataDir, 'grantkeeper.sqlite'))
  t.teardown(() => store.close())
  const connections = () => store.prepare("SELECT * FROM records WHERE field = 'connection:productboard' ORDER BY rowid").all() as Row[]
  const sealed = connections().map(({ record }) => Buffer.from(record))
  for (let i = 0; i < 10; i++) {
    t.equal((await refresh()).status, 200)
    sealed.push(...connections().map(({ record }) => Buffer.from(record)))
  }

  const different = [...new Set(sealed.map(record => record.toString('latin1')))]
  t.equal(different.length, 12, 'two of the sign-ins and ten of the refreshes')
  const nonces = new Set(different.map(record => record.slice(5, 17)))
  t.equal(nonces.size, 12, 'every nonce is new')
  for (let at = 17; at < 41; at += 8)
    t.equal(new Set(different.map(record => record.slice(at, at + 8))).size, 12, 'equal plaintext has different ciphertext')

  /** Writes as another process would. Resolves when the gateway has noticed the change, for which it polls every few milliseconds. */
  async function put({ record }: Row, { owner, field }: Row): Promise<void> {
    let isNoticed = false
    gatewayStore.changes.subscribe(changed => {
      if (changed === undefined) isNoticed = true
    })
    store.prepare('UPDATE records SET record = ? WHERE owner = ? AND field = ?').run(record, owner, field)
    for (; !isNoticed; await nextTurn()) gatewayStore.changes.isReliable()
  }

  const [victim, attacker] = connections()
  if (!victim || !attacker) throw new Error('two users have a connection')
  await put(victim, attacker)
  const forwarded = s.provider.seen.api.length
  await assertProblem(t, await thief.fetch(`${s.proxy}/x`), 401, 'connection_required')
  t.equal(s.provider.seen.api.length, forwarded)
  await put(attacker, attacker)
  for (const browser of [thief, s.browser]) t.equal((await browser.fetch(`${s.proxy}/x`)).status, 200, 'each record opens in its own place')
})
