import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { oauth2With, providerWith } from '../core/support.ts'
import { development, production } from './support.ts'

const sandboxUrl = 'http://127.0.0.1:4000'
const acme = providerWith({
  api: { baseUrl: 'https://{shop}.acme-shops.com/api' },
  parameters: { shop: { title: 'Shop', example: 'main' } },
  methods: { oauth2: oauth2With({ revokeUrl: 'https://acme.example/revoke' }) }
})
const client = { ACME_CLIENT_ID: 'client', ACME_CLIENT_SECRET: 'secret', SANDBOX_URL: sandboxUrl }
const settingsOf = (variables: Record<string, string> = {}) =>
  readConfig({ ...development, ...client, ...variables }, [acme]).providers.get('acme')

t.test('every address of a provider is moved to the sandbox', async t => {
  const settings = settingsOf()
  const { api, methods } = settings?.definition ?? acme
  t.equal(api.baseUrl, `${sandboxUrl}/acme/{shop}.acme-shops.com/api`)
  t.match(methods.oauth2, {
    authorizeUrl: `${sandboxUrl}/acme/acme.example/authorize`,
    tokenUrl: `${sandboxUrl}/acme/acme.example/token`,
    revokeUrl: `${sandboxUrl}/acme/acme.example/revoke`
  })
  t.strictSame(settings?.trustedOrigins, [sandboxUrl])
})

t.test('another server that is set for one address stays', async t => {
  const own = 'http://127.0.0.1:5000'
  const settings = settingsOf({ ACME_AUTHORIZE_URL: `${own}/authorize` })
  const { oauth2 } = settings?.definition.methods ?? {}
  t.equal(oauth2?.authorizeUrl, `${own}/authorize`)
  t.equal(oauth2?.tokenUrl, `${sandboxUrl}/acme/acme.example/token`)
  t.strictSame(settings?.trustedOrigins, [sandboxUrl, own])
})

t.test('an address at the vendor itself is moved as well: nothing reaches it', async t => {
  const settings = settingsOf({ ACME_TOKEN_URL: 'https://acme.example/other/token' })
  t.equal(settings?.definition.methods.oauth2?.tokenUrl, `${sandboxUrl}/acme/acme.example/other/token`)
  t.strictSame(settings?.trustedOrigins, [sandboxUrl])
})

t.test('in production a sandbox is a warning', async t => {
  const { warnings } = readConfig({ ...production, ...client, SANDBOX_URL: 'https://sandbox.example.com' }, [acme])
  t.match(warnings.join(), /SANDBOX_URL is set: https:\/\/sandbox\.example\.com plays the providers/)
})
