import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { commandFile } from '../support/command.ts'
import { ada, eve, openWorld } from './world.ts'

/** Ada has whatever a user can have, and Eve an account. */
async function signInBoth(t: Test) {
  const world = await openWorld(t)
  const browsers = { ada: new Browser(), eve: new Browser() }
  await world.signIn(browsers.ada, ada)
  await world.connect(browsers.ada, 'ada')
  await world.connect(browsers.ada, 'ada')
  await world.backendFor(ada)('POST', '/connections/process-street', { apiKey: 'ada-key-one' })
  await world.as(ada)('POST', '/connections/productboard/invitation', { name: 'Ada Lovelace' })
  await world.signIn(browsers.eve, eve)
  await world.connect(browsers.eve, 'eve')
  const owner = await world.ownerOf(ada)
  const erase = async () => {
    const env = { PATH: process.env.PATH ?? '', ...world.environment }
    return (await promisify(execFile)(process.execPath, [commandFile, 'connections', 'erase', '--user', ada.subject], { env })).stdout
  }
  return { ...world, browsers, owner, erase }
}

/** Every row of every table, as text. */
function dump(directory: string): string[] {
  const db = new DatabaseSync(join(directory, 'grantkeeper.sqlite'), { readOnly: true })
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as Array<{ name: string }>
  const rows = names.flatMap(({ name }) =>
    db
      .prepare(`SELECT * FROM "${name}"`)
      .all()
      .map(row =>
        [name, ...Object.values(row).map(value => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : `${value}`))].join(
          ' '
        )
      )
  )
  db.close()
  return rows
}

/** The rows that are not of the rate limits, which last for a minute. */
const lasting = (directory: string) => dump(directory).filter(row => !row.startsWith('counts '))

t.test('SEC-48: a copy of the store names no user and no account', async t => {
  const { environment } = await signInBoth(t)
  const rows = dump(environment.DATA_DIR ?? '').join('\n')
  t.ok(rows.length > 1000)
  for (const text of [ada.subject, ada.name, ada.email, eve.subject, 'ada account', 'ada-key']) t.notOk(rows.includes(text), text)
})

t.test('SEC-59: erasure leaves no record of a user, and touches nobody else’s', async t => {
  const { erase, owner, gateway, environment, ownerOf, as, productboard } = await signInBoth(t)
  const directory = environment.DATA_DIR ?? ''
  const others = await ownerOf(eve)
  const rowsOf = (name: string) => lasting(directory).filter(row => row.includes(name))
  const before = rowsOf(others)
  t.ok(rowsOf(owner).length >= 8, 'there was something to erase')
  t.match(await erase(), /3 connections, sessions and invitations/)
  t.same(rowsOf(owner), [])
  t.same(rowsOf(others), before)
  t.equal(productboard.seen.revoke.length, 2)
  t.equal((await gateway.services.store.readAll(owner)).size, 0)
  t.equal((await as(eve)('GET', '/proxy/productboard/x')).status, 200)
})

t.test('SEC-59: what an erased user gave away is good for nothing', async t => {
  const { erase, as, browsers, url } = await signInBoth(t)
  const link = (await (await as(ada)('POST', '/links', { provider: 'productboard', path: '/x' })).json()) as { url: string }
  const invitation = (await (await as(ada)('POST', '/connections/productboard/invitation', {})).json()) as { url: string }
  t.equal((await fetch(link.url)).status, 200)
  await erase()
  t.equal((await browsers.ada.fetch(`${url}/connections`)).status, 401)
  t.equal((await fetch(link.url)).status, 404)
  t.not((await fetch(invitation.url)).status, 200)
  t.equal((await as(ada)('GET', '/proxy/productboard/x')).status, 401)
})

t.test('SEC-59: of an erased user only revocations wait, sealed, and they end', async t => {
  const { erase, owner, gateway, clock, environment, productboard } = await signInBoth(t)
  const { store } = gateway.services
  productboard.revoke = (_seen, response) => void response.writeHead(503).end()
  await erase()
  t.equal((await store.readAll('revocations')).size, 2)
  const rows = lasting(environment.DATA_DIR ?? '')
  t.same(
    rows.filter(row => row.includes(owner) || /ada-(refresh|access)/.test(row)),
    []
  )
  clock.advance(15 * 24 * 60 * 60_000)
  t.equal((await store.readAll('revocations')).size, 0)
})
