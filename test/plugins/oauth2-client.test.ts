import { createRequire } from 'node:module'
import t from 'tap'
import { createOAuth2Client } from '../../src/oauth2/client.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const { cache } = createRequire(import.meta.url)
const isLoaded = () => Object.keys(cache).some(file => /[\\/]simple-oauth2[\\/]/.test(file))

t.test('What a sign-in stands on is loaded by the first who signs in, and not by a start', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  t.notOk(isLoaded())
  const signIn = () => fetch(`${gateway.url}/auth/productboard`, { redirect: 'manual' })
  // Two at once, since the second finds it being loaded.
  for (const { status } of await Promise.all([signIn(), signIn()])) t.equal(status, 302)
  t.ok(isLoaded())
})

t.test('A client is opened once for all who ask, and anew after it could not be', async t => {
  const options = {
    callbackUri: 'http://localhost/callback',
    userAgent: 'grantkeeper',
    credentials: { client: { id: 'id', secret: 'secret' }, auth: { tokenHost: 'http://localhost', authorizeHost: 'http://localhost' } }
  }
  const open = createOAuth2Client(options)
  const [first, second] = await Promise.all([open(), open()])
  t.equal(first, second)
  t.equal(await open(), first)

  const fault: { credentials?: object } = {}
  const openLater = createOAuth2Client({
    ...options,
    get credentials() {
      return fault.credentials ?? {}
    }
  })
  await t.rejects(openLater())
  fault.credentials = options.credentials
  t.type((await openLater()).oauth2.getToken, 'function')
})
