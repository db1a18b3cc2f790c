import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { providerWith } from '../core/support.ts'
import { fixedLookup } from '../support/dns.ts'
import { freePort } from '../support/free-port.ts'
import { newKey } from '../support/gateway.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { examine, soundProduction, soundVariables } from './support.ts'

const area = 'configuration'
/** Addresses at which nothing listens, so that no test reaches a vendor. */
const options = { resolve: fixedLookup('127.0.0.1') }

t.test('a start without any variable has no error', async t => {
  const { hasNoError, has } = await examine(t, { DATA_DIR: t.testdir() })
  hasNoError()
  has({ level: 'ok', area, message: /development mode/ })
})

t.test('each variable that production lacks is an error', async t => {
  const { has } = await examine(t, { NODE_ENV: 'production', HOST: '0.0.0.0', DATA_DIR: t.testdir() }, options)
  has({ level: 'error', area, subject: /^SESSION_KEYS$/, message: /^is missing/, cure: /openssl rand/ })
  has({ level: 'error', area, subject: /^TOKEN_KEYS$/, message: /^is missing/, cure: /openssl rand/ })
  has({ level: 'error', area, subject: /^PUBLIC_URL$/, message: /^is missing/, cure: /PUBLIC_URL=https/ })
  has({ level: 'error', area, message: /No provider is configured/, cure: /_CLIENT_ID=/ })
})

t.test('a misspelled variable is an error in production', async t => {
  const { has } = await examine(t, { ...soundProduction(t), REDIS_URI: 'redis://localhost' }, options)
  has({ level: 'error', area, subject: /REDIS_URI/, message: /REDIS_URL is probably meant/, cure: /REDIS_URL=redis:/ })
})

t.test('a misspelled variable is a warning in development', async t => {
  const { has, hasNoError } = await examine(t, { ...soundVariables(t), TRUST_PROXIES: '10.0.0.1' })
  has({ level: 'warning', area, subject: /TRUST_PROXIES/, message: /TRUST_PROXY is probably meant/ })
  hasNoError()
})

t.test('half an OAuth client is an error', async t => {
  const { has } = await examine(t, { ...soundVariables(t), IGNITION_CLIENT_SECRET: 'canary-secret' })
  has({ level: 'error', area, subject: /^IGNITION_CLIENT_ID$/, message: /of use with its client ID alone/, cure: /IGNITION_CLIENT_ID=/ })
})

t.test('a PUBLIC_URL without TLS is an error in production', async t => {
  const { has } = await examine(t, { ...soundProduction(t), PUBLIC_URL: 'http://connect.example.com' }, options)
  has({ level: 'error', area, subject: /^PUBLIC_URL$/, message: /must be https/, cure: /PUBLIC_URL=https/ })
})

t.test('a PUBLIC_URL of this machine is a warning in production', async t => {
  const { has } = await examine(t, { ...soundProduction(t), PUBLIC_URL: `http://localhost:${await freePort()}` }, options)
  has({ level: 'warning', area, subject: /^PUBLIC_URL$/, message: /only its own browsers/ })
})

t.test('a public address without NODE_ENV=production is an error', async t => {
  const { has } = await examine(t, { ...soundVariables(t), PUBLIC_URL: 'https://connect.example.com' }, options)
  has({ level: 'error', area, subject: /^PUBLIC_URL$/, message: /development mode/, cure: /NODE_ENV=production/ })
})

t.test('a DATA_DIR that cannot be used is one error', async t => {
  const file = join(t.testdir(), 'file')
  writeFileSync(file, '')
  const { has, findings } = await examine(t, { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), DATA_DIR: join(file, 'data') })
  has({ level: 'error', area, subject: /^DATA_DIR$/, message: /cannot be used/, cure: /DATA_DIR/ })
  t.equal(findings.filter(({ level }) => level === 'error').length, 1)
})

t.test('what a broken configuration still says is examined', async t => {
  const port = await freePort()
  const { has } = await examine(t, { ...soundVariables(t), PORT: 'x', REDIS_URL: `redis://127.0.0.1:${port}` })
  has({ level: 'error', area, subject: /^PORT$/, message: /must be a whole number/, cure: /PORT=3000/ })
  has({ level: 'error', area: 'store', message: /ECONNREFUSED/ })
})

t.test('an invalid REDIS_URL does not select the embedded store', async t => {
  const { has, findings } = await examine(t, { ...soundVariables(t), REDIS_URL: 'redis+sentinel://localhost' })
  has({ level: 'error', area, subject: /^REDIS_URL$/, message: /name of the master is missing/, cure: /mymaster/ })
  t.notOk(findings.some(finding => finding.area === 'store'))
})

t.test('definitions that cannot be loaded are the only error, and the rest is examined', async t => {
  const variables = soundProduction(t)
  const load = async () => {
    throw new Error('acme.js exports no provider')
  }
  const { has, findings } = await examine(t, variables, { load })
  has({
    level: 'error',
    area: 'providers',
    subject: /definitions/,
    message: /acme\.js exports no provider/,
    cure: /Install the package again/
  })
  has({ level: 'ok', area: 'keys', subject: /TOKEN_KEYS/, message: /one key/ })
  t.equal(findings.filter(({ level }) => level === 'error').length, 1)
})

t.test('what is wrong with an operator’s own definition is told with its file', async t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'acme.json'), '{ "name": "acme" }')
  const { has } = await examine(t, { ...soundVariables(t), PROVIDERS_FROM: folder, PROVIDERS: 'acme' })
  has({
    level: 'error',
    area,
    subject: /acme\.json$/,
    message: /^title is missing: it must be text, such as "Acme"$/,
    cure: /providers check .*acme\.json/
  })
  has({ level: 'error', area, subject: /acme\.json$/, message: /^api is missing: it must be an object with baseUrl/ })
})

t.test('two files of one name, each valid, are told to be brought down to one', async t => {
  const folder = temporaryFolder(t)
  for (const file of ['a.json', 'b.json']) writeFileSync(join(folder, file), JSON.stringify(providerWith({})))
  const { has } = await examine(t, { ...soundVariables(t), PROVIDERS_FROM: folder })
  has({
    level: 'error',
    area,
    subject: /a\.json$/,
    message: /^name is "acme", as in .*b\.json$/,
    cure: /^Keep one: the name of a provider is its own\.$/
  })
})
