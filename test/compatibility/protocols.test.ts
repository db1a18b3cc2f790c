import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { EventSource } from 'eventsource'
import { ClientError, GraphQLClient, gql } from 'graphql-request'
import t from 'tap'
import { json } from '../support/fake-provider.ts'
import { env } from './programs.ts'
import { setUp } from './setup.ts'

/** Has the provider send an event stream that the test controls. */
function playEvents({ provider }: Awaited<ReturnType<typeof setUp>>) {
  const open: ServerResponse[] = []
  let opened = Promise.withResolvers<void>()
  provider.api = (_, response) => {
    // Reconnect quickly, so that the test does not wait.
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 10\n\n')
    open.push(response)
    opened.resolve()
    opened = Promise.withResolvers()
  }
  const latest = async (count: number) => {
    while (open.length < count) await opened.promise
    return open.at(-1) as ServerResponse
  }
  return {
    latest,
    send: async (id: number, count = 1) => (await latest(count)).write(`id: ${id}\ndata: {"sequence":${id}}\n\n`)
  }
}

t.test('eventsource gets each event at once and reconnects with Last-Event-ID', async t => {
  const s = await setUp(t)
  const { latest, send } = playEvents(s)
  const source = new EventSource(`${s.proxy}/events`, {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...s.headers } })
  })
  t.teardown(() => source.close())
  const next = async () => {
    const [{ data }] = (await once(source, 'message')) as [MessageEvent]
    return JSON.parse(data)
  }
  for (const sequence of [1, 2]) {
    const event = next()
    await send(sequence)
    t.same(await event, { sequence })
  }
  ;(await latest(1)).end()
  const event = next()
  await send(3, 2)
  t.same(await event, { sequence: 3 })
  t.same(
    s.provider.seen.api.map(({ headers }) => headers['last-event-id']),
    [undefined, '2']
  )
})

t.test('curl gets each event at once', async t => {
  const s = await setUp(t)
  const { latest, send } = playEvents(s)
  const lines = Object.entries(s.headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
  const curl = spawn('curl', ['--silent', '--no-buffer', ...lines, `${s.proxy}/events`], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(curl, 'exit')
  let output = ''
  curl.stdout.setEncoding('utf8').on('data', text => (output += text))
  for (const sequence of [1, 2]) {
    await send(sequence)
    while (!output.includes(`{"sequence":${sequence}}\n\n`)) await once(curl.stdout, 'data')
  }
  ;(await latest(1)).end()
  t.same(await exit, [0, null])
})

t.test('graphql-request gets data across a token renewal, and a ClientError without a connection', async t => {
  const s = await setUp(t)
  s.provider.api = (seen, response) =>
    s.isGood(seen) ? json(response, 200, { data: { its: JSON.parse(seen.body.toString()) } }) : json(response, 401, {})
  const query = gql`query Notes($first: Int) { notes(first: $first) { id } }`
  const client = new GraphQLClient(`${s.proxy}/graphql`, { headers: s.headers })
  for (const isExpired of [false, true]) {
    if (isExpired) s.expire()
    t.match(await client.request(query, { first: 3 }), { its: { query: /Notes/, operationName: 'Notes', variables: { first: 3 } } })
  }
  const other = new GraphQLClient(`${s.gateway.url}/proxy/ignition/graphql`, { headers: s.headers })
  const refused = await other.request(query).catch((error: unknown) => error)
  if (!(refused instanceof ClientError)) throw new Error('not a ClientError', { cause: refused })
  t.equal(refused.response.status, 401)
  t.equal(new Headers(refused.response.headers as Headers).get('grantkeeper-error'), 'connection_required')
})
