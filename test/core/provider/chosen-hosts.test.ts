import t from 'tap'
import { parseParameters } from '../../../src/core/provider/parse-parameters.ts'
import { expand } from '../../../src/core/provider/template.ts'
import { providerWith } from '../support.ts'

const baseUrl = 'https://{region}/v1'
const region = { title: 'Region', example: 'api.acme.example', oneOf: { 'api.acme.example': 'World', 'api.eu.acme.example': 'Europe' } }
const parameters = { region: { ...region, default: 'api.acme.example' } }
const definition = providerWith({ api: { baseUrl }, parameters })

t.test('a value to choose from may be a whole host, as may the default', async t => {
  const chosen = parseParameters(definition, parameters, { region: 'api.eu.acme.example' })
  t.equal(expand.url(baseUrl, chosen), 'https://api.eu.acme.example/v1')
  t.strictSame(parseParameters(definition, parameters, {}), { region: 'api.acme.example' })
})

t.test('a host that is not among the values to choose from is refused', async t => {
  t.throws(() => parseParameters(definition, parameters, { region: 'api.evil.example' }), { code: 'parameters_invalid' })
})

t.test('without values to choose from, a part of a host has no dot', async t => {
  const free = { region: { title: 'Region', example: 'eu' } }
  const other = providerWith({ api: { baseUrl: 'https://{region}.acme.example/v1' }, parameters: free })
  t.throws(() => parseParameters(other, free, { region: 'evil.eu' }), { code: 'parameters_invalid' })
})
