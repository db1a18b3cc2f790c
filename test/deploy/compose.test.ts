import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { pollUntil } from '../../src/stores/wait-for-store.ts'
import { Browser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startTestSandbox } from '../support/gateway.ts'
import { killOnExit, stopProcess } from '../support/node-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startComposeNginx } from './nginx.ts'
import {
  configOf,
  imageVariables,
  parseSeconds,
  pathOf,
  readEnvFile,
  readYaml,
  shutdownSeconds,
  startInstance,
  unknownNames,
  type Variables
} from './support.ts'

type Service = {
  readonly image: string
  readonly environment?: Variables
  readonly env_file?: string
  readonly command?: readonly string[]
  readonly ports?: readonly string[]
  readonly secrets?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly stop_grace_period?: string
  readonly deploy?: { readonly replicas: number }
}
type Compose = {
  readonly services: Readonly<Record<'nginx' | 'gateway' | 'redis', Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

const compose = readYaml<Compose>('compose.yaml')
const { gateway, redis } = compose.services
const variables: Variables = { ...imageVariables(), ...readEnvFile(gateway.env_file ?? ''), ...gateway.environment }
const instances = gateway.deploy?.replicas ?? 1
const hostAddress = '127.0.0.9'

t.test('compose.yaml follows the schema of the Compose Specification', async t => {
  const { stdout } = spawnSync('dclint', ['--formatter=json', pathOf('compose.yaml')], { encoding: 'utf8' })
  const files = JSON.parse(stdout) as Array<{ messages: Array<{ rule: string }> }>
  t.equal(files.length, 1)
  // Its other rules are matters of taste, such as the order of services.
  const problems = files.flatMap(({ messages }) => messages).filter(({ rule }) => rule.startsWith('invalid'))
  t.strictSame(problems, [])
})

t.test('the gateway knows all its variables, and accepts them', async t => {
  t.strictSame(unknownNames(variables), [])
  const { redis, production } = configOf(variables)
  t.ok(redis)
  t.ok(production)
})

t.test('a gateway has the time that its shutdown takes', async t => {
  t.ok(parseSeconds(gateway.stop_grace_period) > shutdownSeconds(configOf(variables)))
})

t.test('only nginx is published, and on loopback only', async t => {
  const published = Object.entries(compose.services).flatMap(([name, { ports = [] }]) => ports.map(port => `${name} ${port}`))
  t.strictSame(published, ['nginx 127.0.0.1:8080:8080'])
})

t.test('every secret is a file that secrets.sh writes', async t => {
  const folder = t.testdir()
  t.equal(writeSecrets(folder).status, 0)
  for (const [name, { file }] of Object.entries(compose.secrets)) {
    t.equal(file, `deploy/compose/secrets/${name}`)
    t.ok(readSecret(folder, name).length > 40)
  }
  t.equal(statSync(folder).mode & 0o777, 0o700, 'only its owner can enter the folder')
})

t.test('secrets.sh never replaces a key', async t => {
  const folder = t.testdir()
  writeSecrets(folder)
  const before = readSecret(folder, 'token_keys')
  const { status, stderr } = writeSecrets(folder)
  t.equal(status, 1)
  t.match(stderr, 'session_keys exists')
  t.equal(readSecret(folder, 'token_keys'), before)
})

t.test('secrets.sh refuses an input without keys', async t => {
  const { status, stderr } = writeSecrets(t.testdir(), 'docker: no such image\n')
  t.equal(status, 1)
  t.match(stderr, 'no SESSION_KEYS')
})

t.test('the gateways of compose.yaml behind its nginx, with its Redis', async t => {
  const secrets = temporaryFolder(t)
  writeSecrets(secrets)
  const store = await startComposeRedis(t, secrets)
  const ports = await Promise.all(Array.from({ length: instances }, freePort))
  const url = await startComposeNginx(t, ports, hostAddress)
  const sandbox = await startTestSandbox(t, [Number(new URL(url).port)])
  const start = (port: number) =>
    startInstance(t, {
      ...instanceVariables(secrets, store.port),
      ...sandbox.environment,
      HOST: '127.0.0.1',
      PORT: `${port}`,
      PUBLIC_URL: url,
      TRUST_PROXY: '127.0.0.1',
      SHUTDOWN_DELAY: '1'
    })
  const running = await Promise.all(ports.map(start))
  const browser = new Browser()
  const statusOf = async () => (await browser.fetch(`${url}/proxy/productboard/echo`)).status
  /** Of several requests for each instance. */
  const statuses = async () => new Set(await Promise.all(Array.from({ length: 4 * instances }, statusOf)))

  await t.test('a sign-in counts at every instance', async t => {
    t.equal((await browser.connect(url, 'productboard')).status, 200)
    t.strictSame(await statuses(), new Set([200]))
    const hasServed = (output: string) => output.includes('"path":"/proxy/productboard/echo","status":200')
    // Log lines are written a moment later.
    for (const { output } of running) t.ok(await pollUntil(async () => assert(hasServed(output())), 30_000), output())
  })

  await t.test('no request fails while an instance is replaced', async t => {
    const [first] = running
    const seen = new Set<number>()
    let isStopped = false
    const requests = (async () => {
      while (!isStopped) seen.add(await statusOf())
    })()
    t.equal(first && (await stopProcess(first)), 0)
    isStopped = true
    await requests
    t.strictSame(seen, new Set([200]))
    t.strictSame(await statuses(), new Set([200]), 'also without the instance')
    await start(ports[0] ?? 0)
  })

  await t.test('what Redis holds survives its restart', async t => {
    t.equal(await store.stop(), 0)
    t.not(store.check(), 0, 'its health check fails')
    await store.start()
    const isReady = async (port: number) => assert.equal((await fetch(`http://127.0.0.1:${port}/health/ready`)).status, 200)
    for (const port of ports) t.ok(await pollUntil(() => isReady(port), 30_000))
    t.strictSame(await statuses(), new Set([200]))
  })
})

const readSecret = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8').trim()

/** Runs secrets.sh with the output of `grantkeeper keys`. */
function writeSecrets(folder: string, input = `SESSION_KEYS=${newKey()}\nTOKEN_KEYS=${newKey()}\n`) {
  return spawnSync('sh', [pathOf('deploy/compose/secrets.sh'), folder], { input, encoding: 'utf8' })
}

/** The environment of a gateway, with the secrets of this folder and Redis at this port. */
function instanceVariables(secrets: string, redisPort: number): Variables {
  const entries = Object.entries(variables).map(([name, value]) => [name, value.replace('/run/secrets', secrets)])
  const { REDIS_URL_FILE, PROVIDERS, ...others } = Object.fromEntries(entries)
  return { ...others, REDIS_URL: readSecret(secrets, 'redis_url').replace('redis:6379', `127.0.0.1:${redisPort}`) }
}

/** The Redis of compose.yaml, with its command and its health check. */
async function startComposeRedis(t: Test, secrets: string) {
  const port = await freePort()
  const folder = temporaryFolder(t)
  for (const name of ['data', 'tmp']) mkdirSync(join(folder, name))
  const inside = (script: string) =>
    script
      .replaceAll('$$', '$')
      .replaceAll(' /tmp/', ` ${folder}/tmp/`)
      .replaceAll(' /data', ` ${folder}/data`)
      .replaceAll('/run/secrets', secrets)
      .replace('redis-cli ', `redis-cli -p ${port} `)
      .replace(/(exec redis-server .*)/, `$1 --port ${port} --bind 127.0.0.1`)
  const [file = '', ...args] = (redis.command ?? []).map(inside)
  const [kind, script = ''] = (redis.healthcheck?.test ?? []).map(inside)
  if (kind !== 'CMD-SHELL') throw new Error('This test does not understand the health check')
  const check = () => spawnSync('sh', ['-c', script]).status
  let server: ReturnType<typeof spawn>
  const start = async () => {
    server = spawn(file, args, { stdio: 'ignore' })
    killOnExit(server)
    if (!(await pollUntil(async () => assert.equal(check(), 0), 30_000))) throw new Error('Redis does not become healthy')
  }
  const stop = () => stopProcess({ child: server })
  t.teardown(stop)
  await start()
  return { port, check, start, stop }
}
