import t from 'tap'
import { resolveForOperator } from '../../../src/core/provider/resolve-definition.ts'
import { apiKeyWith, providerWith } from '../support.ts'

t.test('the page for keys gets what the operator has set, and keeps what the user has yet to say', async t => {
  const keysUrl = 'https://{shop}.acme.example/keys?app={app_key}'
  const parameter = { title: 'Name', example: 'a' }
  const definition = providerWith({
    parameters: { shop: parameter, app_key: { ...parameter, operator: true } },
    methods: { apiKey: { ...apiKeyWith({ in: 'basic' }), keysUrl } }
  })
  const { methods, parameters } = resolveForOperator(definition, { app_key: 'a b' })
  t.equal(methods.apiKey?.keysUrl, 'https://{shop}.acme.example/keys?app=a%20b')
  t.strictSame(Object.keys(parameters ?? {}), ['shop'])
})
