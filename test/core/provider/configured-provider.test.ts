import t from 'tap'
import type { ProviderOptions } from '../../../src/core/provider/configured-provider.ts'
import { defineProvider } from '../../../src/core/provider/define-provider.ts'
import type { Provider } from '../../../src/core/provider/definition.ts'

const data: Provider = {
  name: 'acme',
  title: 'Acme',
  description: 'Things of a vendor',
  color: '#123456',
  api: { baseUrl: 'https://api.acme.example' },
  methods: { apiKey: { placements: [{ in: 'basic' }], check: { path: '/me', status: 200 }, help: { steps: [] } } },
  sources: [{ facts: 'all', confidence: 'vendor', from: 'this test', checked: '2026-11-28' }]
}
const acme = defineProvider(data)

t.test('a definition is called with the operator’s part of it', async t => {
  const scopes = ['a', 'b']
  const options: ProviderOptions = {
    clientId: 'id',
    clientSecret: 'secret',
    scopes,
    authorizeUrl: 'https://acme.example/authorize',
    tokenUrl: 'https://acme.example/token',
    refreshUrl: 'https://acme.example/refresh',
    revokeUrl: 'https://acme.example/revoke',
    apiUrl: 'https://api.acme.example/v2',
    issuer: 'https://acme.example'
  }
  const configured = acme(options)
  t.equal(configured.definition, acme)
  t.strictSame(configured.options, options)
  for (const part of [configured, configured.options, configured.options.scopes]) t.ok(Object.isFrozen(part))
  scopes.push('c')
  t.strictSame(configured.options.scopes, ['a', 'b'])
})

t.test('parameters are fixed by their names, and hosts are a list', async t => {
  const parameters = { server: 'erp.example.com' }
  const hosted = defineProvider({
    ...data,
    api: { baseUrl: 'https://{server}/api' },
    parameters: { server: { title: 'Server', example: 'erp.example.com', isHost: true } }
  })
  const { options } = hosted({ parameters, hosts: ['a.example.com'] })
  parameters.server = 'changed.example.com'
  t.strictSame(options, { parameters: { server: 'erp.example.com' }, hosts: ['a.example.com'] })
  t.ok(Object.isFrozen(options.parameters))
  t.throws(() => hosted({ parameters: { sever: 'a-secret-value' } }), {
    name: 'TypeError',
    message: 'provider "acme": there is no parameter "sever". The parameters are: server.'
  })
  for (const wrong of [['a'], { server: 1 }, 'a', null])
    t.throws(() => hosted({ parameters: wrong } as unknown as ProviderOptions), {
      message: 'provider "acme": the option parameters must be an object of strings.'
    })
})

t.test('the operator’s part may be left out, and what is undefined is not set', async t => {
  t.strictSame(acme().options, {})
  t.strictSame(acme({ clientId: undefined } as unknown as ProviderOptions).options, {})
})

t.test('a definition has its fields as data has them, its name included', async t => {
  t.strictSame(Object.keys(acme), Object.keys(data))
  t.strictSame({ ...acme }, data)
  t.equal(acme.name, 'acme')
  t.throws(() => Object.assign(acme, { name: 'other' }), TypeError)
  t.strictSame({ ...defineProvider(acme) }, data, 'a definition can be defined again')
})

for (const [given, meant] of [
  ['clientID', 'clientId'],
  ['secret', 'clientSecret'],
  ['client_secret', 'clientSecret'],
  ['scope', 'scopes'],
  ['authorizationUrl', 'authorizeUrl'],
  ['baseUrl', 'apiUrl']
] as const) {
  t.test(`the unknown option ${given} is refused, and ${meant} proposed`, async t => {
    const options = { [given]: 'a-secret-value' } as ProviderOptions
    t.throws(() => acme(options), {
      name: 'TypeError',
      message: `provider "acme": there is no option "${given}"; ${meant} is probably meant.`
    })
    t.throws(() => acme(options), { message: /^((?!a-secret-value).)*$/s })
  })
}

t.test('an option of another type is refused by name, without its value', async t => {
  const call = (options: unknown) => () => acme(options as ProviderOptions)
  t.throws(call({ clientSecret: 12345 }), { message: 'provider "acme": the option clientSecret must be a string.' })
  for (const scopes of ['a b', [1], [undefined]])
    t.throws(call({ scopes }), { message: 'provider "acme": the option scopes must be a list of strings.' })
  for (const options of [null, 'id']) t.throws(call(options), { name: 'TypeError', message: /options must be an object/ })
})
