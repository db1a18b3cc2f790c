import t from 'tap'
import { DefinitionError, defineProvider } from '../../../src/core/provider/define-provider.ts'
import type { Provider } from '../../../src/core/provider/definition.ts'
import { apiKeyWith, oauth2With, providerWith } from '../support.ts'

const shop = { title: 'Shop', example: 'acme' }
const value = { from: 'token', pointer: '/v', example: 'x' } as const

function problems(parts: Partial<Provider>): string[] {
  try {
    defineProvider(providerWith(parts))
    return []
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error
    return error.problems.map(({ field, requirement }) => `${field} ${requirement}`)
  }
}

t.test('a name that nothing tells is a mistake, with the one that is meant', async t => {
  t.match(problems({ parameters: { shop }, api: { baseUrl: 'https://{shp}.acme.com' } }), [
    /^api.baseUrl uses \{shp\}, which is neither .* Did you mean shop\?/
  ])
  t.match(problems({ parameters: { shop }, api: { baseUrl: 'https://acme.com', headers: { 'x-a': '{other}', 'x-b': '{shop}' } } }), [
    /^api.headers.x-a uses \{other\}/
  ])
  t.match(problems({ methods: { apiKey: apiKeyWith({ in: 'header', name: 'x', value: '{secret}' }) } }), [
    /^methods.apiKey.placements\[0\].value uses \{secret\}/
  ])
})

t.test('SEC-61: no host is made of what a user types alone', async t => {
  for (const baseUrl of [
    'https://{shop}',
    'https://{shop}.com',
    'https://{shop}/x',
    'https://api.{shop}',
    '{shop}/x',
    'https://{shop}:8443/x'
  ])
    t.match(problems({ parameters: { shop }, api: { baseUrl } }), [/makes a host of \{shop\}/], baseUrl)
  for (const baseUrl of ['https://{shop}.acme.com', 'https://{shop}.acme.com/x', 'https://acme.com/{shop}', 'https://a-{shop}.acme.com'])
    t.strictSame(problems({ parameters: { shop }, api: { baseUrl } }), [], baseUrl)
  t.strictSame(problems({ parameters: { shop: { ...shop, oneOf: { acme: 'Acme' } } }, api: { baseUrl: 'https://{shop}' } }), [], 'a list')
})

t.test('SEC-61: no credential is part of a host', async t => {
  const methods = { apiKey: { ...apiKeyWith({ in: 'basic' }), fields: { key: shop, pass: { ...shop, secret: true } } } }
  t.match(problems({ methods, api: { baseUrl: 'https://{pass}.acme.com' } }), [/^api.baseUrl makes a host of \{pass\}, which is a secret/])
})

t.test('a name that is not known at all is one mistake, also where less is known', async t => {
  const request = { url: 'https://acme.com/{ky}' }
  for (const [field, methods] of [
    ['oauth2.authorizeUrl', { oauth2: oauth2With({ authorizeUrl: 'https://acme.com/{shp}' }) }],
    ['oauth2.tokenUrl', { oauth2: oauth2With({ tokenUrl: 'https://acme.com/{shp}' }) }],
    ['oauth2.tokenParams.a', { oauth2: oauth2With({ tokenParams: { a: '{shp}' } }) }],
    ['apiKey.tokenRequest.url', { apiKey: { ...apiKeyWith({ in: 'basic' }), tokenRequest: request } }]
  ] as const)
    t.match(
      problems({ methods }),
      [new RegExp(`^methods\\.${RegExp.escape(field)} uses .+, which is neither a parameter nor a value`)],
      field
    )
})

t.test('what only one method tells is no part of the API for both', async t => {
  const methods = { oauth2: oauth2With({ values: { v: value } }), apiKey: apiKeyWith({ in: 'basic' }) }
  t.match(problems({ methods, api: { baseUrl: 'https://acme.com/{v}' } }), [
    /^api.baseUrl uses \{v\}, which is neither a parameter nor a value of methods.apiKey/
  ])
  t.match(problems({ methods, api: { baseUrl: 'https://acme.com', bases: { files: 'https://acme.com/{w}' } } }), [
    /^api.bases.files uses \{w\}, which is neither a parameter nor a value of a method/
  ])
})

t.test('what a user is asked for is used, and has its suffix in an address', async t => {
  t.match(problems({ parameters: { shop } }), [/^parameters.shop is not used: write \{shop\} in/])
  const account = { ...apiKeyWith({ in: 'basic' }), fields: { key: shop, account: shop } }
  t.match(problems({ methods: { apiKey: account } }), [/^methods.apiKey.fields.account is not used/])
  const parameters = { shop: { ...shop, suffix: '.acme.com' } }
  t.match(problems({ parameters, api: { baseUrl: 'https://{shop}.acme.example' } }), [
    /^parameters.shop.suffix must follow \{shop\} in a URL, as in https:\/\/\{shop\}\.acme\.com$/
  ])
  t.strictSame(problems({ parameters, api: { baseUrl: 'https://{shop}.acme.com/v1' } }), [])
})

t.test('a request can use nothing that it only tells', async t => {
  for (const [oauth2, problem] of [
    [{ authorizeUrl: 'https://acme.com/{v}' }, /^methods.oauth2.authorizeUrl uses .+ not known before the sign-in/],
    [{ tokenUrl: 'https://acme.com/{v}' }, /^methods.oauth2.tokenUrl uses .+ not known before the token response/]
  ] as const)
    t.match(problems({ methods: { oauth2: oauth2With({ ...oauth2, values: { v: value } }) } }), [problem])
  const looked = { v: { from: 'lookup', pointer: '/v', example: 'x' } } as const
  const lookups = (lookup: object, baseUrl: string) =>
    problems({ api: { baseUrl }, methods: { oauth2: oauth2With({ lookup, values: looked }) } })
  t.match(lookups({ path: '/me' }, 'https://api.acme.com/{v}'), [
    /^methods.oauth2.lookup.path uses \{v\}, which is not known before the look-up/
  ])
  t.match(lookups({ url: 'https://api.acme.com/{v}' }, 'https://api.acme.com'), [
    /^methods.oauth2.lookup.url uses .+ not known before the look-up/
  ])
  t.strictSame(lookups({ url: 'https://api.acme.com/sites' }, 'https://api.acme.com/{v}'), [])
})

t.test('no two names are one, and none is a credential’s', async t => {
  t.match(problems({ parameters: { v: shop }, methods: { oauth2: oauth2With({ values: { v: value } }) } }), [
    /values.v has the name of a parameter/
  ])
  for (const name of ['access_token', 'refresh_token', 'client_secret', 'key'])
    t.match(problems({ parameters: { [name]: shop } }), [new RegExp(`parameters.${name} has the name of a credential`)])
  const fields = { key: shop, v: shop }
  const values = { v: { from: 'key', example: 'x' } } as const
  t.match(problems({ methods: { apiKey: { ...apiKeyWith({ in: 'basic' }), fields, values } } }), [/values.v has the name of a field/])
})
