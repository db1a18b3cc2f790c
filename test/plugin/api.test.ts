import t from 'tap'
import { Browser } from '../support/browser.ts'
import { json } from '../support/fake-provider.ts'
import { newKey } from '../support/gateway.ts'
import { connectedBrowser, identify, startHost, type TestHost, UserBrowser } from './support.ts'

/** A browser opens a link and comes back from the provider. @returns the page of the application at which it ends */
async function openLink({ url: gateway, origin }: TestHost, browser: Browser, link: string): Promise<URL> {
  const started = await browser.request(link)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const finished = await browser.request(`${gateway}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`)
  return new URL(finished.headers.get('location') ?? '', origin)
}

t.test('an application makes a link, and completes what a browser has connected by it', async t => {
  const host = await startHost(t)
  const { grantkeeper } = host.app
  const user = { id: 'ada', name: 'Ada Lovelace' }
  const { url, expiresAt } = await grantkeeper.connectLink(user, 'productboard', { returnTo: '/settings?tab=1' })
  t.match(url, `${host.url}/start/`)
  t.ok(Date.parse(expiresAt) > Date.now())
  const end = await openLink(host, new Browser(), url)
  t.equal(end.pathname, '/settings')
  t.equal((await grantkeeper.connections('ada'))[0]?.status, 'disconnected', 'nothing is connected before it is completed')
  const code = end.searchParams.get('connect_code') ?? ''
  t.match(await grantkeeper.completeConnect(user, code), { provider: 'productboard', status: 'connected' })
  t.equal((await grantkeeper.connections('ada'))[0]?.status, 'connected')
  await t.rejects(grantkeeper.completeConnect(user, code), { code: 'state_invalid' }, 'once')
})

t.test('another user cannot complete a link, and the grant is given back', async t => {
  const host = await startHost(t)
  const { grantkeeper } = host.app
  const { url } = await grantkeeper.connectLink('ada', 'productboard', { returnTo: '/' })
  const code = (await openLink(host, new Browser(), url)).searchParams.get('connect_code') ?? ''
  await t.rejects(grantkeeper.completeConnect('bob', code), { code: 'user_mismatch' })
  t.equal(host.provider.seen.revoke.length, 1)
  for (const user of ['ada', 'bob']) t.equal((await grantkeeper.connections(user))[0]?.status, 'disconnected')
})

t.test('a link does not lead to another site, and asks for nothing that is not allowed', async t => {
  const { app } = await startHost(t, { allowedOrigins: ['https://frontend.example.com'] })
  const link = (options: object) => app.grantkeeper.connectLink('ada', 'productboard', options as { returnTo: string })
  await t.rejects(link({ returnTo: 'https://evil.example/' }), { code: 'return_to_rejected' })
  await t.rejects(link({}), { code: 'return_to_rejected' })
  await t.rejects(link({ returnTo: '/', scopes: ['admin'] }), { code: 'parameters_invalid' })
  await t.rejects(link({ returnTo: '/', account: 'no-such-id' }), { code: 'connection_unknown' })
  await t.rejects(app.grantkeeper.connectLink('ada', 'nobody', { returnTo: '/' }), { code: 'provider_unknown' })
  t.match(await link({ returnTo: 'https://frontend.example.com/done' }), { url: /\/start\// })
})

t.test('what a user connects in a browser is there for the application, and ends by it', async t => {
  const host = await startHost(t, { identify })
  await connectedBrowser(host, 'ada')
  const { grantkeeper } = host.app
  t.equal((await grantkeeper.connections('ada'))[0]?.status, 'connected')
  t.equal((await grantkeeper.connections('bob'))[0]?.status, 'disconnected')
  await t.rejects(grantkeeper.disconnect('ada', 'productboard', 'no-such-id'), { code: 'connection_unknown' })
  await grantkeeper.disconnect('bob', 'productboard')
  t.equal((await grantkeeper.connections('ada'))[0]?.status, 'connected')
  await grantkeeper.disconnect('ada', 'productboard')
  t.equal((await grantkeeper.connections('ada'))[0]?.status, 'disconnected')
  t.equal(host.provider.seen.revoke.length, 1, 'at the provider too')
})

t.test('an invitation of the application connects somebody else’s account for the user', async t => {
  const host = await startHost(t)
  const { grantkeeper } = host.app
  const invitation = await grantkeeper.invite({ id: 'ada', name: 'Ada Lovelace' }, 'productboard')
  t.match(invitation, { provider: 'productboard', name: 'Ada Lovelace', url: `${host.url}/invitations/` })
  const page = await new Browser().visit(invitation.url)
  t.match(page.text, 'Ada Lovelace')
  await t.rejects(grantkeeper.invite('ada', 'productboard', { name: 'x'.repeat(500) }), { code: 'request_malformed' })
})

t.test('with identify, a browser has no session of ours, and nobody is asked to sign in', async t => {
  const host = await startHost(t, { identify, loginUrl: '/sign-in?from=app' })
  const { url, origin } = host
  const ada = await connectedBrowser(host, 'ada')
  t.same([...ada.cookies.values()], [], 'no cookie stays')
  t.match(await (await ada.fetch(`${url}/connections`)).json(), { user: { id: 'ada' }, connections: [{ status: 'connected' }] })
  t.match(await (await new UserBrowser('bob').fetch(`${url}/connections`)).json(), { connections: [{ status: 'disconnected' }] })

  const nobody = await new Browser().fetch(`${url}/connections`)
  t.match([nobody.status, nobody.headers.get('grantkeeper-error')], [401, 'user_required'])
  t.match(await nobody.json(), { loginUrl: `${origin}/sign-in?from=app` })
  const page = await new Browser().request(`${url}/?x=1`, { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } })
  t.equal(page.headers.get('location'), `${origin}/sign-in?from=app&return_to=%2Fintegrations%2F%3Fx%3D1`)
})

t.test('a sign-in that one user begins in a browser is not finished by another', async t => {
  const host = await startHost(t, { identify })
  const browser = new UserBrowser('ada')
  const started = await browser.request(`${host.url}/auth/productboard`)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const callback = `${host.url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`
  const other = await browser.request(callback, { headers: { 'x-user': 'bob' } })
  t.equal(other.status, 400)
  for (const user of ['ada', 'bob']) t.equal((await host.app.grantkeeper.connections(user))[0]?.status, 'disconnected')
})

t.test('a request of a user needs X-CSRF where the application’s cookie could be abused', async t => {
  const host = await startHost(t, { identify })
  const ada = await connectedBrowser(host, 'ada')
  const { status, headers } = await ada.request(`${host.url}/connections/productboard`, { method: 'DELETE' })
  t.match([status, headers.get('grantkeeper-error')], [403, 'csrf_rejected'])
})

t.test('an error of identify is logged for the application, and told without its text', async t => {
  const { url, logs } = await startHost(t, {
    identify: () => {
      throw new Error('canary: the database is gone')
    }
  })
  const response = await new Browser().fetch(`${url}/connections`)
  t.match([response.status, response.headers.get('grantkeeper-error')], [500, 'internal_error'])
  t.notMatch(await response.text(), /canary/)
  t.match(logs.join(''), /canary: the database is gone/)
})

t.test('hooks are told of events, and their errors change nothing', async t => {
  const events: unknown[] = []
  const host = await startHost(t, {
    identify,
    hooks: {
      'connection.created': event => void events.push(event),
      'connection.deleted': () => {
        throw new Error('of the application')
      },
      'connection.renewed': async () => {
        throw new Error('later, of the application')
      }
    }
  })
  await connectedBrowser(host, 'ada')
  t.match(events, [{ provider: 'productboard', method: 'oauth2' }])
  const { provider, app, logs } = host
  const refused = provider.seen.api.length
  provider.api = (_seen, response) => json(response, provider.seen.api.length === refused + 1 ? 401 : 200, {})
  t.equal((await app.grantkeeper.fetch('ada', 'productboard', '/notes')).status, 200)
  await app.grantkeeper.disconnect('ada', 'productboard')
  t.match(logs.join(''), /"event":"connection\.renewed","msg":"a hook of grantkeeper failed"/)
  t.match(logs.join(''), /"event":"connection\.deleted","msg":"a hook of grantkeeper failed"/)
})

t.test('a registration with mistakes fails with all of them', async t => {
  const { app } = await startHost(t)
  const register = async (options: object) => {
    const { default: grantkeeper } = await import('../../src/index.ts')
    const { default: fastify } = await import('fastify')
    const other = fastify()
    t.teardown(() => other.close())
    await other.register(grantkeeper, options as never)
  }
  await t.rejects(
    register({
      publicUrl: 'https://app.example.com',
      keys: { session: newKey(), token: 'short' },
      providers: [],
      identify: 'ada',
      login: { issuer: 'https://login.example.com', clientId: 'abc' },
      loginUrl: 5,
      hooks: { 'connection.create': () => {}, 'connection.ended': 'no' },
      sesion: 1
    }),
    {
      name: 'ConfigError',
      problems: [
        /^prefix is missing or no path/,
        /^identify must be a function/,
        /^identify and login are both set/,
        /^loginUrl must be a URL/,
        /^hooks: there is no event connection\.create; connection\.created is probably meant/,
        /^hooks: the listener of connection\.ended must be a function/,
        /^There is no option sesion/,
        /^providers must be a list/,
        /^keys\.token: key 1 of 1 has/
      ]
    }
  )
  t.ok(app.grantkeeper)
})

t.test('an id that is a number is the user whom its digits name', async t => {
  const host = await startHost(t, { identify: () => 7 })
  await connectedBrowser(host)
  const { grantkeeper } = host.app
  for (const user of [7, '7', { id: 7, name: 'Ada' }]) t.equal((await grantkeeper.connections(user))[0]?.status, 'connected')
  t.equal((await grantkeeper.connections(8))[0]?.status, 'disconnected')
})
