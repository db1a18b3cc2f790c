import { get } from 'node:http'
import { hostname } from 'node:os'
import t from 'tap'
import { startGateway } from '../support/gateway.ts'

type Line = Record<string, unknown>

/** As it is given, by no means as a URL would have it. */
const statusOf = (url: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(url)
    const request = get({ host: '127.0.0.1', port, path, headers: { 'x-csrf': '1' } }, response => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject)
  })

const linesIn = (logs: readonly string[]): Line[] => logs.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'request')

t.test('The line of a call says what any line of the log says, and what came of the call', async t => {
  const gateway = await startGateway(t)
  const beforeMs = Date.now()
  const answer = await fetch(`${gateway.url}/proxy/nobody/at/home?secret=1`, { headers: { 'x-csrf': '1' } })
  const { requestId } = (await answer.json()) as Line
  gateway.app.log.info('beside it')
  const [line] = linesIn(gateway.logs)
  const usual = JSON.parse(gateway.logs.find(line => line.includes('beside it')) ?? '{}')
  t.match(line, { requestId, method: 'GET', path: '/proxy/nobody/at/home', status: answer.status, ms: Number })
  const { level, pid, time } = usual
  t.match(line, { level, pid, hostname: hostname() })
  t.ok(Number(line?.time) >= beforeMs && Number(line?.time) <= time, 'its time is that of the end of the call')
  t.strictSame(Object.keys(usual).slice(0, 4), Object.keys(line ?? {}).slice(0, 4), 'what they have in common comes first, in one order')
  t.ok(gateway.logs.every(line => line.endsWith('}\n')))
})

t.test('Whatever an address holds, its line is one line of JSON that shows it', async t => {
  const gateway = await startGateway(t)
  for (const path of ['/proxy/nobody/a"b', '/proxy/nobody/"}', '/proxy/nobody/a\\', '/proxy/nobody/a\\n\\"', "/proxy/nobody/'"]) {
    gateway.app.log.info('next')
    t.equal(await statusOf(gateway.url, path), 404)
    t.equal(linesIn(gateway.logs).at(-1)?.path, path)
  }
  t.ok(gateway.logs.every(line => line.indexOf('\n') === line.length - 1))
})

t.test('A log that wants less than that has no line of a call', async t => {
  const gateway = await startGateway(t, { environment: { LOG_LEVEL: 'warn' } })
  await statusOf(gateway.url, '/proxy/nobody/home')
  t.strictSame(gateway.logs, [])
})
