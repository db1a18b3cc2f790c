import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'

const name = 'process-street'

/** A gateway with one provider that accepts every key, and a browser with one account. */
async function setUp(t: Test) {
  const provider = await startFakeProvider(t, 'PROCESS_STREET')
  provider.api = ({ url }, r) => json(r, 200, { url })
  const gateway = await startGateway(t, { environment: { PROCESS_STREET_API_URL: `${provider.origin}/base` } })
  const browser = new Browser()
  const paste = (key: string, account: unknown) => pasteKey(gateway, browser, name, key, { more: { account } })
  await paste('key-1', undefined)
  return { provider, gateway, browser, paste }
}

t.test('the response to one more key says that it is not the default account', async t => {
  const { paste } = await setUp(t)
  t.match(await (await paste('key-2', 'add')).json(), { isDefault: false })
})

t.test('a key with a malformed account is refused before the provider sees it', async t => {
  const { paste, provider } = await setUp(t)
  const before = provider.seen.api.length
  t.equal((await paste('key-2', 'a b')).status, 400)
  t.equal(provider.seen.api.length, before)
})

t.test('a key for an unknown account is refused, as a sign-in is', async t => {
  const { paste } = await setUp(t)
  t.equal((await paste('key-2', 'unknown')).headers.get('grantkeeper-error'), 'connection_unknown')
})

t.test('the header that names the account does not reach the provider', async t => {
  const { gateway, browser, provider } = await setUp(t)
  const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: Array<{ id: string }> }
  const headers = { 'grantkeeper-connection': connections[0]?.id ?? '' }
  t.equal((await browser.fetch(`${gateway.url}/proxy/${name}/x`, { headers })).status, 200)
  t.notOk('grantkeeper-connection' in (provider.seen.api.at(-1)?.headers ?? {}))
})
