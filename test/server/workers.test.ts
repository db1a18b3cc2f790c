import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { runGateway, startGatewayProcess } from '../support/command.ts'
import { newKey } from '../support/gateway.ts'
import { childrenOf, isRunning, type NodeProcess, stopProcess } from '../support/node-process.ts'
import { startRedis } from '../support/redis.ts'

const environment = (redisUrl: string) => ({
  PORT: '0',
  REDIS_URL: redisUrl,
  WORKERS: '2',
  SHUTDOWN_DELAY: '0',
  SESSION_KEYS: newKey(),
  TOKEN_KEYS: newKey(),
  PRODUCTBOARD_CLIENT_ID: 'id',
  PRODUCTBOARD_CLIENT_SECRET: 'secret'
})

type Line = { readonly pid: number; readonly msg: string; readonly worker?: number }
const linesOf = ({ output }: NodeProcess): Line[] =>
  output()
    .split('\n')
    // The last line may be incomplete.
    .slice(0, -1)
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line))

/** Waits for output until `find` returns a value. */
async function waitForOutput<T>({ child, output }: NodeProcess, find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find()
    if (found !== undefined) return found
    if (!isRunning(child)) throw new Error(`process ended: ${output()}`)
    await once(child.stdout as NodeJS.ReadableStream, 'data')
  }
}

/** Sends requests on new connections until so many worker processes have logged one. */
async function workersThatServe(
  gateway: NodeProcess & { url: string },
  count: number,
  excluded: ReadonlySet<number> = new Set()
): Promise<Set<number>> {
  const requests = () => linesOf(gateway).filter(({ msg }) => msg === 'request')
  const found = () => new Set(requests().flatMap(({ pid }) => (excluded.has(pid) ? [] : [pid])))
  while (found().size < count) {
    const before = requests().length
    const send = () => fetch(`${gateway.url}/connections`, { headers: { connection: 'close' } }).then(response => response.status)
    const results = await Promise.allSettled([send(), send(), send(), send()])
    // Requests that fail because their worker was killed are not logged.
    const hasResponse = results.some(({ status }) => status === 'fulfilled')
    await waitForOutput(gateway, () => !hasResponse || requests().length > before || undefined)
  }
  return found()
}

async function startGateway(t: Test) {
  const redis = await startRedis(t)
  return startGatewayProcess(t, environment(redis.url))
}

/** @returns whether the process exists */
function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

t.test('two workers serve one port, and a killed one is replaced', async t => {
  const gateway = await startGateway(t)
  t.equal(gateway.output().split('is ready').length, 2, 'the banner is printed once')
  const both = await workersThatServe(gateway, 2)
  t.notOk(both.has(gateway.child.pid as number), 'the supervisor serves no requests')

  const [victim] = both
  process.kill(victim as number, 'SIGKILL')
  const logged = await waitForOutput(gateway, () => linesOf(gateway).find(({ msg }) => msg.startsWith('worker ended')))
  t.equal(logged.worker, victim)
  const [third] = await workersThatServe(gateway, 1, both)
  t.ok(third)

  t.equal(await stopProcess(gateway), 0)
  for (const pid of [...both, third as number]) t.notOk(sendSignal(pid, 0))
})

/** Starts a request without its body. @returns a function that sends the body and waits for the response */
async function startRequest(t: Test, url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = ''
  socket.setEncoding('utf8').on('data', text => (received += text))
  // The interim response shows that a worker has accepted the request.
  socket.write(
    'POST /connections/outgrow HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n'
  )
  while (!received.includes('100 Continue')) await once(socket, 'data')
  return async () => {
    socket.write('{}')
    while (!/HTTP\/1.1 [2-5]/.test(received)) await once(socket, 'data')
    return received
  }
}

t.test('workers finish requests in flight and end when the supervisor is killed', async t => {
  const gateway = await startGateway(t)
  const finish = await startRequest(t, gateway.url)
  // The workers share its stdout, which closes with the last of them.
  const allEnded = once(gateway.child, 'close')
  await stopProcess(gateway, 'SIGKILL')
  t.match(await finish(), /HTTP\/1.1 4\d\d/)
  await allEnded
  await t.rejects(fetch(gateway.url))
})

t.test('repeated signals to the whole process group do not abort requests in flight', async t => {
  const gateway = await startGateway(t)
  const both = await workersThatServe(gateway, 2)
  const finish = await startRequest(t, gateway.url)
  const exit = once(gateway.child, 'exit')
  gateway.child.kill('SIGTERM')
  for (const pid of both) sendSignal(pid, 'SIGTERM')
  for (const pid of both) sendSignal(pid, 'SIGINT')
  t.match(await finish(), /HTTP\/1.1 4\d\d/)
  t.strictSame(await exit, [0, null])
})

t.test('a signal during the start ends all processes', async t => {
  const redis = await startRedis(t)
  const { child } = runGateway(t, environment(redis.url))
  const exit = once(child, 'exit')
  // Its workers exist and are not ready yet.
  while (childrenOf(child.pid as number).length < 2) await sleep(5)
  child.kill('SIGTERM')
  t.strictSame(await exit, [0, null])
})

t.test('a worker that cannot start ends all with its exit code', async t => {
  const redis = await startRedis(t)
  const first = await startGatewayProcess(t, environment(redis.url))
  const { child, output } = runGateway(t, { ...environment(redis.url), PORT: new URL(first.url).port })
  const [code] = await once(child, 'close')
  t.equal(code, 1)
  t.match(output(), /Port \d+ is already in use/)
  t.notMatch(output(), /is ready/)
})

t.test('WORKERS without Redis and a provider exits with 78', async t => {
  const { child, output } = runGateway(t, { PORT: '0', WORKERS: '2', DATA_DIR: join(t.testdir(), 'data') })
  const [code] = await once(child, 'close')
  t.equal(code, 78)
  t.match(output(), /WORKERS needs a store that processes can share: set REDIS_URL/)
  t.match(output(), /WORKERS needs a provider/)
})
