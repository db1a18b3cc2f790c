import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { newKey } from '../support/gateway.ts'
import { childrenOf, type NodeProcess, runNode, runs, startNode, stopped } from '../support/node-process.ts'
import { startRedis } from '../support/redis.ts'

const server = join(import.meta.dirname, '..', '..', 'src', 'cli', 'start.ts')

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
    // The last is still to come, or the rest of it is.
    .slice(0, -1)
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line))

/** Until the output tells it. */
async function until<T>({ child, output }: NodeProcess, told: () => T | undefined): Promise<T> {
  for (;;) {
    const what = told()
    if (what !== undefined) return what
    if (!runs(child)) throw new Error(`it ended: ${output()}`)
    await once(child.stdout as NodeJS.ReadableStream, 'data')
  }
}

/** Calls, on connections of their own, until so many processes have said in their logs that they answered. */
async function answering(
  gateway: NodeProcess & { url: string },
  processes: number,
  not: ReadonlySet<number> = new Set()
): Promise<Set<number>> {
  const requests = () => linesOf(gateway).filter(({ msg }) => msg === 'request')
  const found = () => new Set(requests().flatMap(({ pid }) => (not.has(pid) ? [] : [pid])))
  while (found().size < processes) {
    const before = requests().length
    const call = () => fetch(`${gateway.url}/connections`, { headers: { connection: 'close' } }).then(answer => answer.status)
    const calls = await Promise.allSettled([call(), call(), call(), call()])
    // Calls that end with the worker that had them are in no log.
    const someAnswered = calls.some(({ status }) => status === 'fulfilled')
    await until(gateway, () => !someAnswered || requests().length > before || undefined)
  }
  return found()
}

async function started(t: Test) {
  const redis = await startRedis(t)
  return startNode(t, server, environment(redis.url))
}

/** @returns whether there was such a process */
function tell(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

t.test('two workers serve behind one port, one that is killed is replaced, and all end together and well', async t => {
  const gateway = await started(t)
  t.equal(gateway.output().split('is ready').length, 2, 'it is said once')
  const both = await answering(gateway, 2)
  t.notOk(both.has(gateway.child.pid as number), 'neither is the process that was started')

  const [victim] = both
  process.kill(victim as number, 'SIGKILL')
  const noted = await until(gateway, () => linesOf(gateway).find(({ msg }) => msg.startsWith('a worker has ended')))
  t.equal(noted.worker, victim)
  const [third] = await answering(gateway, 1, both)
  t.ok(third)

  t.equal(await stopped(gateway), 0)
  for (const pid of [...both, third as number]) t.notOk(tell(pid, 0))
})

/** A call whose body is still to come. */
async function begunCall(t: Test, url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let answer = ''
  socket.setEncoding('utf8').on('data', text => (answer += text))
  // The interim answer says that a worker has it.
  socket.write(
    'POST /connections/outgrow HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n'
  )
  while (!answer.includes('100 Continue')) await once(socket, 'data')
  return async () => {
    socket.write('{}')
    while (!/HTTP\/1.1 [2-5]/.test(answer)) await once(socket, 'data')
    return answer
  }
}

t.test('workers do not outlive the process that watches over them, and finish what is under way', async t => {
  const gateway = await started(t)
  const finish = await begunCall(t, gateway.url)
  // They have the same output, which ends with the last of them.
  const allEnded = once(gateway.child, 'close')
  await stopped(gateway, 'SIGKILL')
  t.match(await finish(), /HTTP\/1.1 4\d\d/)
  await allEnded
  await t.rejects(fetch(gateway.url))
})

t.test('being told twice to leave, as by a service manager that tells all of a group, does not cut off what is under way', async t => {
  const gateway = await started(t)
  const both = await answering(gateway, 2)
  const finish = await begunCall(t, gateway.url)
  const exit = once(gateway.child, 'exit')
  gateway.child.kill('SIGTERM')
  for (const pid of both) tell(pid, 'SIGTERM')
  for (const pid of both) tell(pid, 'SIGINT')
  t.match(await finish(), /HTTP\/1.1 4\d\d/)
  t.strictSame(await exit, [0, null])
})

t.test('a signal in the middle of the start ends all', async t => {
  const redis = await startRedis(t)
  const { child } = runNode(t, server, environment(redis.url))
  const exit = once(child, 'exit')
  // Its workers are there, and have not begun to serve.
  while (childrenOf(child.pid as number).length < 2) await sleep(5)
  child.kill('SIGTERM')
  t.strictSame(await exit, [0, null])
})

t.test('what keeps a worker from starting ends all with its exit code, and is said in words', async t => {
  const redis = await startRedis(t)
  const first = await startNode(t, server, environment(redis.url))
  const { child, output } = runNode(t, server, { ...environment(redis.url), PORT: new URL(first.url).port })
  const [code] = await once(child, 'close')
  t.equal(code, 1)
  t.match(output(), /Port \d+ is taken/)
  t.notMatch(output(), /is ready/)
})

t.test('workers share a store or nothing: without one it exits with 78 and says why', async t => {
  const { child, output } = runNode(t, server, { PORT: '0', WORKERS: '2', DATA_DIR: join(t.testdir(), 'data') })
  const [code] = await once(child, 'close')
  t.equal(code, 78)
  t.match(output(), /WORKERS needs a store that processes can share: set REDIS_URL/)
  t.match(output(), /WORKERS needs a provider/)
})
