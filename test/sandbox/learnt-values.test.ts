import t, { type Test } from 'tap'
import { oauth2With, providerWith } from '../core/support.ts'
import { Browser } from '../support/browser.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

/** A vendor whose sign-in brings a region, a team and a second token, which an API of its own takes. */
const acme = providerWith({
  api: {
    baseUrl: 'https://{region}.acme.example/{team}',
    bases: { bots: { url: 'https://bots.acme.example', placements: [{ in: 'header', name: 'x-bot', value: 'Bot {bot_token}' }] } }
  },
  methods: {
    oauth2: oauth2With({
      values: {
        region: { from: 'callback', parameter: 'region', oneOf: ['eu', 'us'], example: 'eu' },
        team: { from: 'token', pointer: '/team/id', pattern: '\\d+', example: '4711' },
        bot_token: { from: 'token', pointer: '/bot/token', secret: true, optional: true, example: 'bot-4d7a01' }
      }
    })
  }
})

async function setUp(t: Test) {
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { definitions: [acme] })
  const browser = new Browser()
  const vendor = sandbox.vendor('acme')
  return {
    sandbox,
    vendor,
    connect: async () => (await browser.connect(gateway.url, 'acme', { returnTo: '/?connected=acme' })).url,
    statusOf: async (path: string) => (await browser.fetch(`${gateway.url}/proxy/${path}`)).status,
    atBots: async (token: string) =>
      (await fetch(`${sandbox.origin}/acme/bots.acme.example/x`, { headers: { 'x-bot': `Bot ${token}` } })).status
  }
}

t.test('a base takes the second token of a grant, as long as that lasts', async t => {
  const { connect, statusOf, atBots, vendor } = await setUp(t)
  t.equal(await atBots('bot-4d7a01'), 401, 'nobody has signed in')
  await connect()
  t.equal(await statusOf('acme~bots/x'), 200)
  t.equal(vendor.requests.at(-1)?.headers['x-bot'], 'Bot bot-4d7a01')
  t.equal(await atBots('bot-4d7a01'), 200)
  for (const wrong of ['bot-000000', '', 'bot']) t.equal(await atBots(wrong), 401, wrong)
  vendor.expireAccessTokens()
  t.equal(await atBots('bot-4d7a01'), 200, 'the second token has its own life')
  vendor.revokeGrants()
  t.equal(await atBots('bot-4d7a01'), 401)
})

t.test('a base at a host of its own is found before one whose host a value completes', async t => {
  const { connect, statusOf, vendor } = await setUp(t)
  await connect()
  t.equal(await statusOf('acme~bots/4711/x'), 200)
  t.equal(vendor.requests.at(-1)?.url, '/acme/bots.acme.example/4711/x')
  t.equal(await statusOf('acme/x'), 200)
  t.equal(vendor.requests.at(-1)?.url, '/acme/eu.acme.example/4711/x')
})

t.test('a switch sends other values, and the API accepts the right ones alone', async t => {
  const { connect, statusOf, vendor } = await setUp(t)
  vendor.switches.values = { team: '12' }
  t.match(await connect(), '?connected=acme')
  t.equal(await statusOf('acme/x'), 404, 'another team’s')
  vendor.switches.values = undefined
  await connect()
  t.equal(await statusOf('acme/x'), 200)
  vendor.switches.values = { bot_token: null }
  t.match(await connect(), '?connected=acme')
  t.equal(await statusOf('acme~bots/x'), 401)
  for (const values of [{ region: 'evil' }, { region: null }, { team: 'x' }, { team: null }]) {
    vendor.switches.values = values
    t.match(await connect(), 'connect_error=', JSON.stringify(values))
  }
})

t.test('the switch for values takes texts and nulls', async t => {
  const { sandbox, vendor } = await setUp(t)
  const patch = (values: unknown) => fetch(`${sandbox.origin}/acme/_switches`, { method: 'PATCH', body: JSON.stringify({ values }) })
  t.equal((await patch({ region: 'us', team: null })).status, 200)
  t.same(vendor.switches.values, { region: 'us', team: null })
  for (const wrong of ['us', ['us'], { region: 1 }, { region: {} }, 1]) {
    const response = await patch(wrong)
    t.equal(response.status, 400)
    t.match(await response.json(), { message: 'values must be null or an object of strings and nulls' })
  }
  t.equal((await patch(null)).status, 200)
  t.equal(vendor.switches.values, undefined)
})
