import t from 'tap'
import { knownDefinitions } from '../../src/config/definitions/load-definitions.ts'
import { ConfigError } from '../../src/config/environment.ts'
import { readSandboxConfig } from '../../src/config/sandbox-config.ts'
import { acme, development, keyed, roadRunner } from './support.ts'

const sandbox = {
  vendors: ['acme'],
  environment: { ACME_CLIENT_ID: 'sandbox', ACME_CLIENT_SECRET: 'sandbox', ACME_API_URL: 'http://127.0.0.1:4000/acme' }
}
const definitions = [acme, roadRunner, keyed]
const readWith = (variables: Record<string, string> = {}) =>
  readSandboxConfig({ ...development, ...variables }, knownDefinitions(definitions), { port: 3000, sandbox })

t.test('a provider that the sandbox does not play is not offered, and a warning says so', async t => {
  const { providers, warnings } = readWith()
  t.strictSame([...providers.keys()], ['acme'])
  t.equal(providers.get('acme')?.definition.api.baseUrl, sandbox.environment.ACME_API_URL)
  for (const { title, name } of [roadRunner, keyed])
    t.ok(warnings.some(warning => warning.startsWith(`${title} is not offered`) && warning.includes(`src/sandbox/vendors/${name}.ts`)))
})

t.test('a listed provider that the sandbox does not play fails the start: a pasted key would reach the real vendor', async t => {
  for (const [name, remedy] of [
    [roadRunner.name, /ROAD_RUNNER_CLIENT_ID=abc123/],
    [keyed.name, /_API_URL=https:/]
  ] as const) {
    t.throws(() => readWith({ PROVIDERS: `acme, ${name}` }), ConfigError)
    t.throws(() => readWith({ PROVIDERS: `acme, ${name}` }), { message: remedy })
  }
})

t.test('PROVIDERS selects among the vendors of the sandbox', async t => {
  t.strictSame([...readWith({ PROVIDERS: 'acme' }).providers.keys()], ['acme'])
})
