// Pomerium, GO-2024-2965: the page that shows a person their own session had the OAuth access and ID tokens in what it was made of.
//
// Here: everything that tells a person of their connections, as a page, as JSON and as an error.
import t from 'tap'
import { connected } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import { pasteKey } from '../support/paste-key.ts'

const canaries = { access_token: 'access-canary', refresh_token: 'refresh-canary', id_token: 'id-canary', session_state: 'state-canary' }
const pages = ['/', '/connections', '/connect/productboard', '/invitations', '/health/ready', '/nothing', '/auth/nobody', '/proxy/nobody/x']
const stepsBy = {
  oauth2: ['/connections/productboard/refresh', '/connections/productboard/invitation'],
  api_key: ['/connections/nobody/refresh', '/connections/productboard/invitation']
}

for (const method of ['oauth2', 'api_key'] as const) {
  t.test(
    `GO-2024-2965: nothing that a person is shown of a connection by ${method} has its tokens, its key or the client’s secret`,
    async t => {
      const { gateway, browser, provider, proxy } = await connected(t, { token: (_, r) => json(r, 200, tokens(canaries)) })
      const { url } = gateway
      const answers = method === 'api_key' ? [await pasteKey(gateway, browser, 'productboard', 'key-canary')] : []
      for (const accept of ['text/html', 'application/json']) {
        for (const path of pages) answers.push(await browser.fetch(url + path, { headers: { accept } }))
        for (const path of stepsBy[method]) answers.push(await browser.fetch(url + path, { method: 'POST', headers: { accept } }))
      }
      for (const answer of answers) {
        t.ok(answer.status < 500)
        t.notMatch(JSON.stringify([...answer.headers]) + (await answer.text()), /canary/i, `${answer.status} ${answer.url}`)
      }

      const shown = await (await browser.fetch(`${url}/connections`)).json()
      t.match(shown, { connections: [{ status: 'connected', method }] }, 'the connection itself is shown')
      t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
      const sent = method === 'api_key' ? 'Bearer key-canary' : 'Bearer access-canary'
      t.equal(provider.seen.api.at(-1)?.headers.authorization, sent, 'and its credential goes up')
    }
  )
}
