// mod_auth_openidc, CVE-2021-32791: AES-GCM with a static nonce and static associated data under one key. Equal texts gave equal
// records, two records told the difference of their texts, and nothing bound a record to its place.
//
// Here: somebody reads the file of the store, and then writes another person's record into it as their own.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../src/stores/open-store.ts'
import { Browser } from '../support/browser.ts'
import { connected, problem, signIn } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'

type Row = { owner: string; field: string; record: Uint8Array }

t.test('CVE-2021-32791: equal grants are unlike records, and a record serves nobody but its owner', async t => {
  const dataDir = t.testdir()
  const gatewayStore = await openStore({ dataDir, clock: Date })
  const same = tokens({ access_token: 'same-access', refresh_token: 'same-refresh' })
  const s = await connected(t, { store: gatewayStore, environment: { DATA_DIR: dataDir }, token: (_, r) => json(r, 200, same) })
  const thief = new Browser()
  await signIn(s.gateway, thief)
  // Each renewal seals the same grant once more.
  const renew = () => s.browser.fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' })
  const store = new DatabaseSync(join(dataDir, 'grantkeeper.sqlite'))
  t.teardown(() => store.close())
  const connections = () => store.prepare("SELECT * FROM records WHERE field = 'connection:productboard' ORDER BY rowid").all() as Row[]
  const sealed = connections().map(({ record }) => Buffer.from(record))
  for (let i = 0; i < 10; i++) {
    t.equal((await renew()).status, 200)
    sealed.push(...connections().map(({ record }) => Buffer.from(record)))
  }

  const different = [...new Set(sealed.map(record => record.toString('latin1')))]
  t.equal(different.length, 12, 'two of the sign-ins and ten of the renewals')
  const nonces = new Set(different.map(record => record.slice(5, 17)))
  t.equal(nonces.size, 12, 'none has the nonce of another')
  for (let at = 17; at < 41; at += 8)
    t.equal(new Set(different.map(record => record.slice(at, at + 8))).size, 12, 'nor the same bytes where the same text is')

  /** As another process writes it. Resolves when the gateway has heard of it, which its calls ask for but a few times in some milliseconds. */
  async function put({ record }: Row, { owner, field }: Row): Promise<void> {
    let isHeard = false
    gatewayStore.changes.subscribe(changed => {
      if (changed === undefined) isHeard = true
    })
    store.prepare('UPDATE records SET record = ? WHERE owner = ? AND field = ?').run(record, owner, field)
    for (; !isHeard; await nextTurn()) gatewayStore.changes.isReliable()
  }

  const [person, other] = connections()
  if (!person || !other) throw new Error('two persons have a connection')
  await put(person, other)
  const sent = s.provider.seen.api.length
  await problem(t, await thief.fetch(`${s.proxy}/x`), 401, 'connection_required')
  t.equal(s.provider.seen.api.length, sent)
  await put(other, other)
  for (const browser of [thief, s.browser]) t.equal((await browser.fetch(`${s.proxy}/x`)).status, 200, 'each in its own place opens')
})
