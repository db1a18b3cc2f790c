import t from 'tap'
import { GrantkeeperError } from '../../src/browser/client.ts'
import { createTestClient } from '../../src/browser/testing.ts'

t.test('the test client lists its connections with what a real one would add', async t => {
  const client = createTestClient({
    connections: [
      { provider: 'github', account: 'ada' },
      { provider: 'github', id: 'second' },
      { provider: 'jira', status: 'disconnected' }
    ]
  })
  const list = await client.connections()
  t.match(list, [
    { provider: 'github', id: 'github-1', status: 'connected', isDefault: true, account: 'ada', connectUrl: /github$/ },
    { provider: 'github', id: 'second', status: 'connected' },
    { provider: 'jira', title: 'jira', status: 'disconnected' }
  ])
  t.notOk(list[2] && 'id' in list[2])
})

t.test('fetch gets the response of its method, provider and path', async t => {
  const client = createTestClient({
    connections: [{ provider: 'github' }],
    responses: {
      'GET github /issues': [{ title: 'It breaks' }],
      'POST github /issues': ({ init }) => new Response(init.body as string, { status: 201 }),
      'GET github /missing': new Response('none', { status: 404 }),
      'GET github /offline': new TypeError('offline')
    }
  })
  t.same(await (await client.fetch('github', '/issues')).json(), [{ title: 'It breaks' }])
  const created = await client.fetch('github', '/issues', { method: 'post', body: 'text' })
  t.same([created.status, await created.text()], [201, 'text'])
  for (let i = 0; i < 2; i++) t.equal(await (await client.fetch('github', '/missing')).text(), 'none')
  await t.rejects(client.fetch('github', '/offline'), { name: 'TypeError', message: 'offline' })
  await t.rejects(client.fetch('github', '/other'), { message: /no response for "GET github \/other"/ })
})

t.test('each call is recorded with its arguments', async t => {
  const client = createTestClient({ connections: [{ provider: 'github' }], responses: { 'GET github /x': 'text' } })
  const { fetch, refresh } = client
  await fetch('github', '/x', { account: 'github-1' })
  await refresh('github')
  t.same(client.calls, [
    { method: 'fetch', args: ['github', '/x', { account: 'github-1' }] },
    { method: 'refresh', args: ['github'] }
  ])
})

t.test('an error is the one that a gateway would send', async t => {
  const client = createTestClient({
    connections: [
      { provider: 'jira', status: 'disconnected' },
      { provider: 'github', status: 'reconnect_required' }
    ]
  })
  const required = { name: 'GrantkeeperError', code: 'connection_required', status: 401, connectUrl: /jira$/ }
  await t.rejects(client.fetch('jira', '/x'), required)
  await t.rejects(client.refresh('github'), { code: 'reconnect_required', status: 401, connectUrl: /github$/ })
  await t.rejects(client.fetch('nobody', '/x'), { code: 'provider_unknown', status: 404 })
  await t.rejects(client.setDefault('github', 'other'), { code: 'connection_unknown', status: 404 })
  t.ok((await client.fetch('jira', '/x').catch(error => error)) instanceof GrantkeeperError)
})

t.test('connect, setDefault and disconnect change the list', async t => {
  const client = createTestClient({ connections: [{ provider: 'jira', title: 'Jira', status: 'disconnected' }] })
  const first = await client.connect('jira', { popup: true })
  t.match(first, { title: 'Jira', status: 'connected', isDefault: true, method: 'oauth2' })
  const second = await client.connect('jira', { account: 'add' })
  t.not(second.id, first.id)
  await client.setDefault('jira', second.id ?? '')
  t.same(
    (await client.connections()).map(({ id, isDefault }) => [id, isDefault]),
    [
      [first.id, false],
      [second.id, true]
    ]
  )
  await client.disconnect('jira', { account: second.id })
  t.match(await client.connections(), [{ id: first.id, isDefault: true }])
  await client.disconnect('jira')
  t.match(await client.connections(), [{ title: 'Jira', status: 'disconnected' }])
  t.match(await client.connectWithKey('jira', 'key'), { method: 'api_key', status: 'connected' })
})

t.test('begin and complete connect without a page', async t => {
  const client = createTestClient({ connections: [{ provider: 'jira', status: 'disconnected' }] })
  t.match(await client.begin('jira', { returnTo: 'https://app.example/' }), { url: /jira/, expiresAt: /Z$/ })
  t.equal(await client.complete(), undefined)
  t.match(await client.complete('code'), { provider: 'jira', status: 'connected' })
})

t.test('connect fails as the test asks', async t => {
  const client = createTestClient({ connections: [{ provider: 'jira', status: 'disconnected' }], connectErrors: { jira: 'access_denied' } })
  for (const connecting of [client.connect('jira'), client.connectWithKey('jira', 'key')])
    await t.rejects(connecting, { code: 'access_denied', provider: 'jira' })
  t.match(await client.connections(), [{ status: 'disconnected' }])
})

t.test('parameters, a choice and other bases of the API are as with a gateway', async t => {
  const choice = {
    title: 'Site',
    value: 's-1',
    options: [
      { value: 's-1', name: 'One' },
      { value: 's-2', name: 'Two' }
    ]
  }
  const client = createTestClient({
    connections: [
      { provider: 'shop', status: 'disconnected' },
      { provider: 'jira', id: 'j-1', choice }
    ],
    responses: { 'GET jira~agile /board': ['board'] }
  })
  t.match(await client.connect('shop', { parameters: { shop: 'acme' } }), { parameters: { shop: 'acme' } })
  t.match(await client.choose('jira', 'j-1', 's-2'), { choice: { value: 's-2' } })
  t.match(
    (await client.connections()).find(({ id }) => id === 'j-1'),
    { choice: { value: 's-2' } }
  )
  await t.rejects(client.choose('jira', 'j-1', 's-3'), { code: 'parameters_invalid', status: 400 })
  await t.rejects(client.choose('shop', 'other', 's-1'), { code: 'connection_unknown' })
  t.same(await (await client.fetch('jira', '/board', { base: 'agile' })).json(), ['board'])
})
