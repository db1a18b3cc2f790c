import t from 'tap'
import type { Provider } from '../../src/core/provider/definition.ts'
import { oauth2With, providerWith } from '../core/support.ts'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { startGateway, TestClock } from '../support/gateway.ts'

/** What each of the ways to send a client's credentials becomes without a secret (RFC 6749 §3.2.1). */
for (const [title, quirks] of [
  ['a form', { clientAuthentication: 'body' }],
  ['a form, where a secret would be in a header', { clientAuthentication: 'basic' }],
  ['JSON', { clientAuthentication: 'body', tokenRequestFormat: 'json' }]
] as const) {
  t.test(`a public client names itself in ${title}, and sends no secret`, async t => {
    const definition: Provider = providerWith({
      name: 'acme',
      methods: { oauth2: oauth2With({ ...quirks, revokeUrl: 'https://acme.example/revoke' }) }
    })
    const provider = await startFakeProvider(t, 'ACME')
    provider.token = (_seen, response) => json(response, 200, tokens({ expires_in: 3600 }))
    const { ACME_CLIENT_SECRET: _, ...environment } = provider.environment
    const clock = new TestClock()
    const { url } = await startGateway(t, { definitions: [definition], environment, clock })
    const browser = new Browser()
    t.equal((await signIn({ url }, browser, 'acme')).status, 303)
    clock.advance(2 * 3600_000)
    t.equal((await browser.fetch(`${url}/proxy/acme/notes`)).status, 200)
    t.equal((await browser.fetch(`${url}/connections/acme`, { method: 'DELETE' })).status, 204)

    const { token, revoke } = provider.seen
    t.match(
      [...token, ...revoke].map(({ headers, body }) => fieldsOf(String(headers['content-type']), String(body))),
      [
        { grant_type: ['authorization_code'], code_verifier: [/./], client_id: ['client-1'] },
        { grant_type: ['refresh_token'], client_id: ['client-1'] },
        { token: [/./], client_id: ['client-1'] }
      ]
    )
    for (const { headers, body } of [...token, ...revoke]) {
      t.equal(headers.authorization, undefined)
      t.notMatch(String(body), 'secret')
    }
  })
}

/** All values of each field, so that one that is sent twice shows. */
function fieldsOf(type: string, body: string): Record<string, unknown[]> {
  if (type.startsWith('application/json'))
    return Object.fromEntries(Object.entries(JSON.parse(body) as object).map(([name, value]) => [name, [value]]))
  const form = new URLSearchParams(body)
  return Object.fromEntries([...form.keys()].map(name => [name, form.getAll(name)]))
}
