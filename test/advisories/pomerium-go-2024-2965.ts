// Pomerium, GO-2024-2965: the source of the page that shows a user their session contained the OAuth access and ID tokens.
//
// Here: every response that describes a user's connections, as a page, as JSON and as an error.
import t from 'tap'
import { startConnected } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import { pasteKey } from '../support/paste-key.ts'

const canaries = { access_token: 'access-canary', refresh_token: 'refresh-canary', id_token: 'id-canary', session_state: 'state-canary' }
const pages = ['/', '/connections', '/connect/productboard', '/invitations', '/health/ready', '/nothing', '/auth/nobody', '/proxy/nobody/x']
const actionsBy = {
  oauth2: ['/connections/productboard/refresh', '/connections/productboard/invitation'],
  api_key: ['/connections/nobody/refresh', '/connections/productboard/invitation']
}

for (const method of ['oauth2', 'api_key'] as const) {
  t.test(`GO-2024-2965: no response about a connection by ${method} contains a token, key or secret`, async t => {
    const { gateway, browser, provider, proxy } = await startConnected(t, { token: (_, r) => json(r, 200, tokens(canaries)) })
    const { url } = gateway
    const responses = method === 'api_key' ? [await pasteKey(gateway, browser, 'productboard', 'key-canary')] : []
    for (const accept of ['text/html', 'application/json']) {
      for (const path of pages) responses.push(await browser.fetch(url + path, { headers: { accept } }))
      for (const path of actionsBy[method]) responses.push(await browser.fetch(url + path, { method: 'POST', headers: { accept } }))
    }
    for (const response of responses) {
      t.ok(response.status < 500)
      t.notMatch(JSON.stringify([...response.headers]) + (await response.text()), /canary/i, `${response.status} ${response.url}`)
    }

    const list = await (await browser.fetch(`${url}/connections`)).json()
    t.match(list, { connections: [{ status: 'connected', method }] }, 'the connection itself is listed')
    t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
    const credential = method === 'api_key' ? 'Bearer key-canary' : 'Bearer access-canary'
    t.equal(provider.seen.api.at(-1)?.headers.authorization, credential, 'its credential is forwarded')
  })
}
