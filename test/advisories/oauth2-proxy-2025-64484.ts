// oauth2-proxy, CVE-2025-64484: a client's `X-Forwarded-*` headers were stripped and its `X_Forwarded_*` were not. Servers that map
// underscores to dashes read the user from them.
//
// Here: look-alikes of stripped headers, and of the header that carries the key.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'
import { sendRawRequest } from '../support/raw.ts'

const lookAlikes = [
  'X_Forwarded_User',
  'X_Forwarded-Email',
  'x-forwarded_groups',
  'X_FORWARDED_FOR',
  'X_Forwarded_Host',
  'X_Real_IP',
  'True_Client_IP',
  'CF_Connecting_IP',
  'X_Original_URL',
  'Proxy_Authorization',
  'Sec_Fetch_Site',
  'X_CSRF',
  'Content_Length',
  'Transfer_Encoding',
  'X_API_KEY',
  'x_api-key'
]

t.test('CVE-2025-64484: a header with underscores is stripped like the one with dashes', async t => {
  const provider = await startFakeProvider(t, 'PROCESS_STREET')
  provider.api = (_, r) => json(r, 200, {})
  const gateway = await startGateway(t, { environment: { PROCESS_STREET_API_URL: provider.origin } })
  const browser = new Browser()
  t.equal((await pasteKey(gateway, browser, 'process-street', 'key')).status, 201)

  const headers = [...lookAlikes.map(name => `${name}: forged`), 'X_Custom_Note: mine']
  t.match(await sendRawRequest({ gateway, browser }, 'GET /proxy/process-street/x', { headers }), /^HTTP\/1.1 200 /)
  const seen = provider.seen.api.at(-1)
  t.notMatch(seen?.rawHeaders.join('\n'), /forged/)
  t.equal(seen?.headers['x-api-key'], 'key')
  const override = await sendRawRequest({ gateway, browser }, 'GET /proxy/process-street/x', {
    headers: ['X_HTTP_Method_Override: DELETE']
  })
  t.match(override, /^HTTP\/1.1 400 /, 'a method override is rejected like the one with dashes')
  t.equal(seen?.headers.x_custom_note, 'mine', 'other headers with underscores are forwarded')
})
