// fastify, CVE-2026-25223 and CVE-2026-33806: the parser and the validator read `Content-Type` differently. With a tab and any text after
// it, or a space before it, a body was parsed as JSON and never validated.
//
// Here: a pasted key is validated by its value, so no spelling of the type lets another value in.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'
import { sendRawRequest } from '../support/raw.ts'

const types = [
  'application/json',
  'application/json\ta',
  'application/json\t; charset=utf-8',
  ' application/json',
  '\tapplication/json',
  'application/json a',
  'application/json;a',
  'application/jsonx',
  'APPLICATION/JSON ;',
  'application/vnd.api+json',
  'text/plain',
  'text/plain;application/json',
  'application/x-www-form-urlencoded'
]

t.test('CVE-2026-25223, CVE-2026-33806: no spelling of Content-Type lets an invalid key in', async t => {
  const provider = await startFakeProvider(t, 'PROCESS_STREET')
  provider.api = (_, r) => json(r, 200, {})
  const gateway = await startGateway(t, { environment: { PROCESS_STREET_API_URL: provider.origin } })
  const post = (type: string, body: string) => {
    const headers = [`Content-Type:${type}`, `Content-Length: ${body.length}`]
    return sendRawRequest({ gateway, browser: new Browser() }, 'POST /connections/process-street', { headers, body })
  }
  const keys = ['["key"]', '{"toString":"key"}', '"key\\r\\nX-Injected: 1"', '1', 'null', '""', '"a b"']
  for (const type of types) {
    for (const key of keys) {
      const response = await post(type, `{"apiKey":${key}}`)
      t.match(response, /^HTTP\/1.1 400 /, `${JSON.stringify(type)} ${key}`)
      t.match(response, /^grantkeeper-error: (api_key_malformed|header_rejected)\r$/im)
      t.notMatch(response, /^set-cookie/im)
    }
  }
  t.equal(provider.seen.api.length, 0, 'none reaches the provider')

  for (const type of ['application/json', ' application/json; charset=utf-8'])
    t.match(await post(type, '{"apiKey":"key"}'), /^HTTP\/1.1 201 /, 'a valid key is accepted')
  t.same(new Set(provider.seen.api.map(({ headers }) => headers['x-api-key'])), new Set(['key']))
})
