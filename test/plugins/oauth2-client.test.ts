import { createRequire } from 'node:module'
import t from 'tap'
import { createOAuth2Client } from '../../src/oauth2/client.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const { cache } = createRequire(import.meta.url)
const isLoaded = () => Object.keys(cache).some(file => /[\\/]simple-oauth2[\\/]/.test(file))

t.test('the OAuth library is loaded by the first sign-in and not at startup', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  t.notOk(isLoaded())
  const signIn = () => fetch(`${gateway.url}/auth/productboard`, { redirect: 'manual' })
  // The second one starts while the library is being loaded.
  for (const { status } of await Promise.all([signIn(), signIn()])) t.equal(status, 302)
  t.ok(isLoaded())
})

const options = {
  callbackUri: 'http://localhost/callback',
  userAgent: 'grantkeeper',
  credentials: { client: { id: 'id', secret: 'secret' }, auth: { tokenHost: 'http://localhost', authorizeHost: 'http://localhost' } }
}

t.test('concurrent and later callers share one OAuth client', async t => {
  const open = createOAuth2Client(options)
  const [first, second] = await Promise.all([open(), open()])
  t.equal(first, second)
  t.equal(await open(), first)
})

t.test('an OAuth client that failed to open is opened again', async t => {
  let credentials: object = {}
  const open = createOAuth2Client({
    ...options,
    get credentials() {
      return credentials
    }
  })
  await t.rejects(open())
  credentials = options.credentials
  t.type((await open()).oauth2.getToken, 'function')
})
