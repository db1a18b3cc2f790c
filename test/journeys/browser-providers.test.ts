import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { oauth2With, providerWith } from '../core/support.ts'
import { eventually } from '../stores/redis/topologies.ts'
import { checkAccessibility } from '../support/axe.ts'
import { cardOf, chooseFromMenu, connect, fetchJson, keyDialog, newUser, startChromium, tabTo, waitForStatus } from '../support/chromium.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)
const providers = await loadProviders()

function shipped(name: string): Provider {
  const definition = providers.find(provider => provider.name === name)
  if (!definition) throw new Error(`there is no ${name}`)
  return definition
}

/** A gateway with these providers, played by the sandbox, and a user on its Connections page. */
async function open(t: Test, definitions: readonly Provider[], environment: Record<string, string> = {}) {
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { definitions, environment })
  const { page, consoleErrors } = await newUser(t, browser, { reducedMotion: 'reduce' })
  await page.goto(gateway.url)
  return {
    gateway,
    sandbox,
    page,
    /** Browsers log every response with an error status. */
    errors: () => consoleErrors.filter(text => !text.startsWith('Failed to load resource'))
  }
}

/** A call from the page. @returns its status, and where at the vendor it arrived or why it did not */
async function call(page: Page, path: string) {
  const { status, body } = await fetchJson(page, `/proxy/${path}`)
  const { url, code } = body as { url?: string; code?: string }
  return { status, url, code }
}

/** Signs in at the sandbox's consent page, as this account. */
async function allow(page: Page, email?: string) {
  if (email !== undefined) await page.getByLabel('Email').fill(email)
  await page.getByRole('button', { name: 'Allow' }).click()
}

const disconnect = async (page: Page, title: string) => {
  await page.getByRole('button', { name: `Disconnect ${title}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
  await waitForStatus(page, title, 'Not connected')
}

/** Presses Tab until the field has the focus. */
async function tabToField(page: Page, selector: string) {
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press('Tab')
    if ((await page.locator(`${selector}:focus`).count()) > 0) return
  }
  throw new Error(`Tab does not reach ${selector}`)
}

t.test('Shopify: a user is asked for their shop, and requests go there', async t => {
  const { page, sandbox, errors } = await open(t, [shipped('shopify')])
  const { counts, requests } = sandbox.vendor('shopify')
  await page.getByRole('link', { name: 'Connect Shopify' }).click()
  const shop = page.locator('.sign-in-form').getByLabel('Shop', { exact: true })
  const signIn = page.getByRole('button', { name: 'Sign in at Shopify' })
  await shop.fill('acme.evil.example')
  await signIn.click()
  await page.getByRole('alert').getByText('It looks like this: my-shop').waitFor()
  t.equal(await shop.inputValue(), 'acme.evil.example')
  await shop.fill('https://Fernhill-Tea.myshopify.com/admin/products?page=2')
  await signIn.click()
  await page.waitForURL(`${sandbox.origin}/shopify/**`)
  await allow(page)
  await waitForStatus(page, 'Shopify', 'Connected')
  await cardOf(page, 'Shopify').getByText('fernhill-tea.myshopify.com').waitFor()
  t.match(await call(page, 'shopify/2026-01/products.json'), {
    status: 200,
    url: '/shopify/fernhill-tea.myshopify.com/admin/api/2026-01/products.json'
  })
  t.ok(requests.every(({ url }) => url.startsWith('/shopify/fernhill-tea.myshopify.com/')))
  t.equal(counts.tokenRequests.authorization_code, 1, 'the wrong shop was asked for nothing')
  t.same(errors(), [])
})

t.test('Zendesk: a key goes with an e-mail address, as EMAIL/token, to the user’s subdomain', async t => {
  const { page, sandbox, errors } = await open(t, [shipped('zendesk')])
  const { fields, requests } = sandbox.vendor('zendesk')
  const { email = '', key = '' } = fields
  await chooseFromMenu(page, 'Use a key instead for Zendesk')
  const dialog = keyDialog(page, 'Zendesk')
  const connectButton = dialog.getByRole('button', { name: 'Connect' })
  await dialog.getByLabel('Subdomain').fill('https://fernhill.zendesk.com/agent')
  await dialog.getByLabel('E-mail address').fill('ada')
  await dialog.getByLabel('API token', { exact: true }).fill('wrong')
  await connectButton.click()
  await dialog.getByRole('alert').getByText('It looks like this: ada@example.com').waitFor()
  await dialog.getByLabel('E-mail address').fill(email)
  await connectButton.click()
  await dialog.getByRole('alert').getByText('Zendesk does not accept this key.').waitFor()
  await dialog.getByLabel('API token', { exact: true }).fill(key)
  await connectButton.click()
  await waitForStatus(page, 'Zendesk', 'Connected')
  for (const shown of ['fernhill.zendesk.com', email]) await cardOf(page, 'Zendesk').getByText(shown).first().waitFor()
  t.notMatch(await page.content(), key)
  t.match(await call(page, 'zendesk/tickets.json'), { status: 200, url: '/zendesk/fernhill.zendesk.com/api/v2/tickets.json' })
  t.equal(requests.at(-1)?.headers.authorization, `Basic ${Buffer.from(`${email}/token:${key}`).toString('base64')}`)
  t.same(errors(), [])
})

t.test('Salesforce: requests go to the instance of each account, and to no host of somebody else', async t => {
  const { page, gateway, sandbox, errors } = await open(t, [shipped('salesforce')])
  const { switches, requests } = sandbox.vendor('salesforce')
  const signIn = page.getByRole('button', { name: 'Sign in at Salesforce' })
  switches.values = { instance_url: 'https://salesforce.com.evil.example' }
  await page.getByRole('link', { name: 'Connect Salesforce' }).click()
  await signIn.click()
  await allow(page)
  await page.getByRole('status').getByText('Salesforce was not connected').waitFor()
  await waitForStatus(page, 'Salesforce', 'Not connected')
  t.same(requests, [], 'nothing was asked of any API')
  t.ok(gateway.logs.some(line => line.includes('instance_url is not at a host of the provider')))

  switches.values = undefined
  await page.getByRole('link', { name: 'Connect Salesforce' }).click()
  t.equal(await page.getByLabel('Environment').inputValue(), 'login')
  await page.getByLabel('Environment').selectOption('Sandbox')
  await signIn.click()
  await allow(page)
  await waitForStatus(page, 'Salesforce', 'Connected')
  t.match(await call(page, 'salesforce/services/data'), { status: 200, url: '/salesforce/acme.my.salesforce.com/services/data' })

  await chooseFromMenu(page, 'Add another account of Salesforce')
  await signIn.click()
  await allow(page, 'grace@example.com')
  await cardOf(page, 'Salesforce').getByText('2 accounts').waitFor()
  const { body } = await fetchJson(page, '/connections')
  const [, added] = (body as { connections: ReadonlyArray<{ id: string }> }).connections
  const { status, url } = await call(page, `salesforce@${added?.id}/services/data`)
  t.match({ status, url }, { status: 200, url: /^\/salesforce\/\w+\.my\.salesforce\.com\/services\/data$/ })
  t.notMatch(url, '/acme.', 'the other account has another instance')
  t.same(errors(), [])
})

t.test('Slack: a refusal with status 200 renews the token, and the user notices nothing', async t => {
  const { page, sandbox, errors } = await open(t, [shipped('slack')])
  const slack = sandbox.vendor('slack')
  await connect(page, 'Slack')
  t.match(await call(page, 'slack/conversations.list'), { status: 200, url: '/slack/slack.com/api/conversations.list' })
  slack.expireAccessTokens()
  t.match(await call(page, 'slack/users.list'), { status: 200, url: '/slack/slack.com/api/users.list' })
  t.equal(slack.counts.tokenRequests.refresh_token, 1)
  t.match(await call(page, 'slack~files/files-pri/T1-F1'), { status: 200, url: '/slack/files.slack.com/files-pri/T1-F1' })
  slack.revokeGrants()
  t.match(await call(page, 'slack/users.list'), { status: 401, code: 'reconnect_required' })
  await page.reload()
  await waitForStatus(page, 'Slack', 'Access has ended')
  t.same(errors(), [])
})

/** As at Slack: a sign-in brings two tokens, and each is for an API of its own. */
const chat = providerWith({
  name: 'chat',
  title: 'Chat',
  api: {
    baseUrl: 'https://chat.example/api',
    bases: {
      bot: { url: 'https://bots.chat.example', placements: [{ in: 'header', name: 'authorization', value: 'Bearer {bot_token}' }] }
    },
    refusals: [{ pointer: '/error', oneOf: ['token_expired'], statuses: [200] }]
  },
  methods: {
    oauth2: oauth2With({
      authorizeUrl: 'https://chat.example/authorize',
      tokenUrl: 'https://chat.example/token',
      scopeParameter: 'user_scope',
      pkce: false,
      tokenResponse: { accessToken: '/authed_user/access_token', refreshToken: '/authed_user/refresh_token', tokenType: 'user' },
      values: {
        bot_token: { from: 'token', pointer: '/access_token', secret: true, optional: true, example: 'xoxb-17653672481-19874698323' }
      }
    })
  }
})

t.test('Slack-like: a second token is for an API of its own, and a connection without it has the rest', async t => {
  const { page, sandbox, errors } = await open(t, [chat])
  const { requests, switches, expireAccessTokens } = sandbox.vendor('chat')
  await connect(page, 'Chat')
  t.match(await call(page, 'chat~bot/messages'), { status: 200, url: '/chat/bots.chat.example/messages' })
  t.equal(requests.at(-1)?.headers.authorization, 'Bearer xoxb-17653672481-19874698323')
  t.match(await call(page, 'chat/channels'), { status: 200, url: '/chat/chat.example/api/channels' })
  t.notMatch(requests.at(-1)?.headers.authorization, 'xoxb')
  t.notMatch(JSON.stringify(await fetchJson(page, '/connections')) + (await page.content()), 'xoxb')
  expireAccessTokens()
  t.equal((await call(page, 'chat/channels')).status, 200)
  t.equal((await call(page, 'chat~bot/messages')).status, 200)

  switches.values = { bot_token: null }
  await chooseFromMenu(page, 'Reconnect Chat')
  await allow(page)
  await page.getByRole('status').getByText('Chat is connected').waitFor()
  t.match(await call(page, 'chat~bot/messages'), { status: 401, code: 'reconnect_required' })
  t.equal((await call(page, 'chat/channels')).status, 200)
  await page.reload()
  await waitForStatus(page, 'Chat', 'Connected')
  t.same(errors(), [])
})

t.test('QuickBooks: the company that was chosen at the sign-in stands in the path', async t => {
  const { page, sandbox, errors } = await open(t, [shipped('quickbooks')])
  await connect(page, 'QuickBooks Online')
  t.match(await call(page, 'quickbooks/query?query=select'), {
    status: 200,
    url: '/quickbooks/quickbooks.api.intuit.com/v3/company/9341453474484455/query?query=select'
  })
  sandbox.vendor('quickbooks').switches.values = { realm_id: '1/../../9341453474484455' }
  await chooseFromMenu(page, 'Reconnect QuickBooks Online')
  await allow(page)
  await page.getByRole('status').getByText('QuickBooks Online stays connected as it was').waitFor()
  t.equal((await call(page, 'quickbooks/companyinfo')).status, 200)
  t.same(errors(), [])
})

t.test('Jira: a user sees which site is used and takes the other, and requests go there', async t => {
  const { page, errors } = await open(t, [shipped('jira')])
  const title = 'Jira and Confluence'
  await page.getByRole('link', { name: `Connect ${title}` }).click()
  await allow(page)
  await page.getByRole('status').getByText('Site: Site 1, one of 2.').waitFor()
  const first = await call(page, 'jira/rest/api/3/project')
  t.match(first, { status: 200, url: /^\/jira\/api\.atlassian\.com\/ex\/jira\/[0-9a-f-]{36}\/rest\/api\/3\/project$/ })
  await cardOf(page, title).getByLabel(`Site of ${title}`, { exact: true }).selectOption('Site 2')
  await page.getByRole('button', { name: `Change Site of ${title}` }).click()
  await page.getByRole('status').getByText(`${title} uses Site 2 now.`).waitFor()
  const second = await call(page, 'jira/rest/api/3/project')
  t.match(second, { status: 200 })
  t.not(second.url, first.url)
  const site = second.url?.split('/')[5] ?? 'none'
  t.match(await call(page, 'jira~confluence/wiki/api/v2/pages'), { status: 200, url: `/jira/api.atlassian.com/ex/confluence/${site}/wiki` })
  t.same(errors(), [])
})

t.test('LinkedIn: a sign-in without PKCE', async t => {
  const { page, errors } = await open(t, [shipped('linkedin')])
  const asked: URLSearchParams[] = []
  page.on('request', request => {
    const { pathname, searchParams } = new URL(request.url())
    if (pathname.endsWith('/oauth/v2/authorization')) asked.push(searchParams)
  })
  await connect(page, 'LinkedIn')
  t.same(
    asked.map(params => [...params.keys()].sort()),
    [['client_id', 'redirect_uri', 'response_type', 'scope', 'state']]
  )
  t.match(await call(page, 'linkedin/v2/userinfo'), { status: 200 })
  t.same(errors(), [])
})

/** As at Apple: the authorization response is a form, and the client signs its secret with a key of its own. */
const orchard = providerWith({
  name: 'orchard',
  title: 'Orchard',
  parameters: {
    team_id: { title: 'Team', example: 'A1B2C3D4E5', operator: true },
    key_id: { title: 'Key', example: 'K1', operator: true }
  },
  api: { baseUrl: 'https://api.orchard.example/v1' },
  methods: {
    oauth2: oauth2With({
      authorizeUrl: 'https://id.orchard.example/auth/authorize',
      tokenUrl: 'https://id.orchard.example/auth/token',
      revokeUrl: 'https://id.orchard.example/auth/revoke',
      scopes: ['openid', 'email'],
      responseMode: 'form_post',
      clientAuthentication: 'private_key_jwt',
      clientAssertion: {
        algorithm: 'ES256',
        keyId: '{key_id}',
        issuer: '{team_id}',
        audience: 'https://id.orchard.example',
        asSecret: true
      },
      account: { from: 'id_token', id: '/sub', name: '/email' }
    })
  }
})

t.test('Apple-like: the session survives a response that another site posts, and the client signs', async t => {
  const { page, sandbox, errors } = await open(t, [orchard, shipped('linkedin')])
  const { counts, expireAccessTokens } = sandbox.vendor('orchard')
  await connect(page, 'LinkedIn')
  const posted: string[] = []
  page.on('request', request => {
    if (request.method() === 'POST' && request.url().endsWith('/auth/orchard/callback')) posted.push(request.url())
  })
  await connect(page, 'Orchard')
  t.equal(posted.length, 1)
  await cardOf(page, 'Orchard').getByText('ada@example.com').waitFor()
  await waitForStatus(page, 'LinkedIn', 'Connected')
  expireAccessTokens()
  t.match(await call(page, 'orchard/orders'), { status: 200, url: '/orchard/api.orchard.example/v1/orders' })
  t.equal(counts.tokenRequests.refresh_token, 1, 'a refresh is signed as well')
  await disconnect(page, 'Orchard')
  await eventually('the client has revoked the grant', async () => counts.revocations === 1)
  t.same(errors(), [])
})

t.test('Google: two APIs by one sign-in, and what the user did not allow', async t => {
  const { page, errors } = await open(t, [shipped('google')])
  const drive = 'see and change the files in Drive that you open or make here'
  await page.getByRole('link', { name: 'Connect Google' }).click()
  await page.getByRole('checkbox', { name: drive, exact: false }).uncheck()
  await allow(page)
  await waitForStatus(page, 'Google', 'Connected')
  const card = cardOf(page, 'Google')
  await card.getByText('ada@example.com').waitFor()
  const missing = card.getByText(`Not allowed: ${drive}`)
  await missing.waitFor()
  t.match(await call(page, 'google/drive/v3/files'), { status: 200, url: '/google/www.googleapis.com/drive/v3/files' })
  t.match(await call(page, 'google~gmail/gmail/v1/users/me/labels'), {
    status: 200,
    url: '/google/gmail.googleapis.com/gmail/v1/users/me/labels'
  })
  await page.getByRole('link', { name: 'Reconnect Google' }).click()
  await allow(page)
  await waitForStatus(page, 'Google', 'Connected')
  t.equal(await missing.count(), 0)
  t.same(errors(), [])
})

/** As a GitHub App has it, whose access tokens expire. */
function githubApp(): Provider {
  const github = shipped('github')
  const { oauth2 } = github.methods
  if (!oauth2) throw new Error('GitHub has a sign-in')
  return { ...github, methods: { oauth2: { ...oauth2, tokens: { accessTokenLifetime: 28_800, refreshToken: 'rotated' } } } }
}

t.test('GitHub: its own words end a grant, and Disconnect deletes the token', async t => {
  const { page, sandbox, errors } = await open(t, [githubApp()])
  const { counts, requests, expireAccessTokens, revokeGrants } = sandbox.vendor('github')
  await connect(page, 'GitHub')
  expireAccessTokens()
  t.match(await call(page, 'github/user/repos'), { status: 200, url: '/github/api.github.com/user/repos' })
  t.equal(requests.at(-1)?.headers['x-github-api-version'], '2022-11-28')
  revokeGrants()
  t.match(await call(page, 'github/user/repos'), { status: 401, code: 'reconnect_required' })
  t.equal(counts.refusedRefreshes, 1)
  await page.reload()
  await waitForStatus(page, 'GitHub', 'Access has ended')
  await connect(page, 'GitHub')
  const { authorization = '' } = requests.at(-1)?.headers ?? {}
  const statusOfToken = async () => {
    const headers = { authorization, 'x-github-api-version': '2022-11-28' }
    return (await fetch(`${sandbox.origin}/github/api.github.com/user`, { headers })).status
  }
  t.equal(await statusOfToken(), 200)
  await disconnect(page, 'GitHub')
  await eventually('GitHub has deleted the token', async () => (await statusOfToken()) === 401)
  t.same(errors(), [])
})

t.test('PayPal: a client id and its secret are exchanged for tokens, again when they end', async t => {
  const { page, sandbox, errors } = await open(t, [shipped('paypal')])
  const { fields, counts, expireAccessTokens } = sandbox.vendor('paypal')
  await chooseFromMenu(page, 'Use a key instead for PayPal')
  const dialog = keyDialog(page, 'PayPal')
  await dialog.getByLabel('Client ID').fill(fields.app_id ?? '')
  await dialog.getByLabel('Secret', { exact: true }).fill('wrong')
  await dialog.getByRole('button', { name: 'Connect' }).click()
  await dialog.getByRole('alert').getByText('PayPal does not accept this key.').waitFor()
  await dialog.getByLabel('Secret', { exact: true }).fill(fields.key ?? '')
  await dialog.getByRole('button', { name: 'Connect' }).click()
  await waitForStatus(page, 'PayPal', 'Connected')
  await cardOf(page, 'PayPal')
    .getByText(fields.app_id ?? 'none')
    .waitFor()
  t.notMatch(await page.content(), fields.key)
  t.equal(counts.tokenRequests.key, 2)
  t.match(await call(page, 'paypal/v2/invoicing/invoices'), { status: 200, url: '/paypal/api-m.paypal.com/v2/invoicing/invoices' })
  expireAccessTokens()
  t.match(await call(page, 'paypal/v2/invoicing/invoices'), { status: 200 })
  t.equal(counts.tokenRequests.key, 3)
  t.same(errors(), [])
})

t.test('what the operator has fixed is not asked', async t => {
  const { page, errors } = await open(t, [shipped('shopify')], { SHOPIFY_PARAMETER_SHOP: 'fernhill-tea' })
  await connect(page, 'Shopify')
  t.match(await call(page, 'shopify/shop.json'), { url: '/shopify/fernhill-tea.myshopify.com/admin/api/shop.json' })
  await chooseFromMenu(page, 'Add one with a key for Shopify')
  t.equal(await keyDialog(page, 'Shopify').getByRole('textbox').count(), 1, 'the key alone')
  t.same(errors(), [])
})

t.test('among all providers a user finds and connects one by keyboard, and axe finds nothing', async t => {
  const { page, errors } = await open(t, providers)
  t.equal(await page.getByText('Not connected', { exact: true }).count(), providers.length)
  await checkAccessibility(t, page)('all providers')
  await page.reload()
  await tabToField(page, '#card-search')
  await page.keyboard.type('tickets support')
  await page.getByRole('search').getByText(`1 of ${providers.length} services`).waitFor()
  await tabTo(page, 'Connect Zendesk')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Connect Zendesk' }).waitFor()
  await tabToField(page, '.sign-in-form input')
  await page.keyboard.type('fernhill')
  await page.keyboard.press('Enter')
  await page.getByLabel('Email').press('Enter')
  await waitForStatus(page, 'Zendesk', 'Connected')
  t.equal(await page.getByText('Not connected', { exact: true }).count(), providers.length - 1)
  t.same(errors(), [])
})

t.test('the page with all providers is one document with its assets, which grows by little with each', async t => {
  const { page, sandbox, gateway } = await open(t, providers)
  const requested: URL[] = []
  page.on('request', request => requested.push(new URL(request.url())))
  const html = (await (await page.reload())?.body()) ?? Buffer.alloc(0)
  await page.waitForLoadState('networkidle')
  t.same(new Set(requested.map(({ origin }) => origin)), new Set([gateway.url]))
  t.ok(requested.length <= 6, requested.join(' '))
  t.ok(html.length / providers.length < 4000, `${html.length} bytes`)
  t.ok(gzipSync(html).length / providers.length < 400, `${gzipSync(html).length} bytes, compressed`)
  t.ok(
    providers.every(({ name }) => sandbox.vendor(name).counts.apiCalls === 0),
    'no provider was asked'
  )
})
