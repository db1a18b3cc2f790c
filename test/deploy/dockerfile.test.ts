import { type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { freePort } from '../support/free-port.ts'
import { isRunning, killOnExit, stopProcess } from '../support/node-process.ts'
import {
  configOf,
  type Instruction,
  imageVariables,
  pathOf,
  readDockerfile,
  readText,
  secretValues,
  shutdownSeconds,
  valuesOf
} from './support.ts'

const [build = [], runtime = []] = readDockerfile()
const [uid = 0] = (valuesOf(runtime, 'USER')[0] ?? '').split(':').map(Number)
const isRoot = process.getuid?.() === 0
/** Arguments of env(1): tap adds its own modules to every process that a test starts. */
const withoutTap = ['-u', 'NODE_OPTIONS']

t.test('both stages use the Node that the package installs for the tests', async t => {
  const { version } = JSON.parse(readText('package-lock.json')).packages['node_modules/node']
  for (const stage of [build, runtime]) t.match(valuesOf(stage, 'FROM')[0], new RegExp(`^node:${version}-[a-z]+-slim( AS build)?$`))
})

t.test('the label names the version of the package', async t => {
  const version = JSON.parse(readText('package.json')).version
  t.match(valuesOf(runtime, 'LABEL')[0], `org.opencontainers.image.version="${version}"`)
})

t.test('the user is numeric and not root, and the port is the exposed one', async t => {
  t.ok(uid > 0)
  t.equal(valuesOf(runtime, 'EXPOSE')[0], imageVariables().PORT)
  t.equal(valuesOf(runtime, 'VOLUME')[0], imageVariables().DATA_DIR)
})

t.test('the steps of the Dockerfile make a gateway that runs without root, and without writing beside its volume', async t => {
  const image = makeImage(t)
  const port = await freePort()
  const environment = {
    PATH: join(image.root, 'usr/local/bin'),
    ...mapValues(imageVariables(), image.inside),
    PORT: `${port}`,
    PUBLIC_URL: 'https://connect.example.com',
    PROVIDERS: 'productboard',
    SESSION_KEYS: secretValues.session_keys,
    TOKEN_KEYS: secretValues.token_keys,
    SHUTDOWN_DELAY: '0'
  }
  // Node refuses every write elsewhere, also to /tmp: like a read-only root file system.
  const confined = [
    '--permission',
    '--allow-fs-read=*',
    `--allow-fs-write=${image.inside('/var/lib/grantkeeper')}`,
    '--allow-addons',
    '--allow-net'
  ]
  const [file = '', ...args] = commandOf(runtime)
  const gateway = image.start(t, [file, ...confined, ...args], environment)
  const check = () => image.run(healthCheckOf(runtime), environment)
  t.not(check(), 0, 'the health check fails before the gateway listens')
  await gateway.printed(/ is ready: https:/)
  t.equal(check(), 0, 'the health check succeeds')
  t.ok(existsSync(join(image.root, 'var/lib/grantkeeper/grantkeeper.sqlite')), 'the store is in the volume')

  const graceSeconds = shutdownSeconds(configOf({ ...imageVariables(), ...environment }))
  const startMs = performance.now()
  t.equal(await stopProcess(gateway, valuesOf(runtime, 'STOPSIGNAL')[0] as NodeJS.Signals), 0, gateway.output())
  t.ok(performance.now() - startMs < graceSeconds * 1000, 'it ends within the grace time')
  t.not(check(), 0, 'the health check fails afterwards')
})

t.test('the build context has only what the build reads', async t => {
  const context = contextFiles()
  t.strictSame(
    context.filter(name => !statSync(pathOf(name)).isDirectory()),
    ['.npmrc', 'LICENSE', 'package-lock.json', 'package.json', 'tsconfig.build.json', 'tsconfig.json']
  )
  for (const name of ['node_modules', '.git', '.grantkeeper', 'deploy', 'test', 'dist']) t.notOk(context.includes(name), name)
})

type Image = {
  /** The folder that stands for the root of the image. */
  readonly root: string
  /** Where a path of the image is. */
  inside(path: string): string
  /** @returns the exit code of a command that the image's user runs */
  run(command: readonly string[], environment: Record<string, string | undefined>): number | null
  start(t: Test, command: readonly string[], environment: Record<string, string | undefined>): ReturnType<typeof start>
}

/**
 * Does what `docker build` does, in a folder that stands for the image. `npm ci` alone is replaced: it would fetch for half a minute what is
 * installed here already, so the installed packages are linked (copied, if the folder is on another file system).
 */
function makeImage(t: Test): Image {
  // Outside of the project, so that no package is found in its node_modules.
  const folder = mkdtempSync(join(tmpdir(), 'grantkeeper-image-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  chmodSync(folder, 0o755)
  const stages = { build: join(folder, 'build'), '': join(folder, 'runtime') }
  for (const [name, root] of Object.entries(stages)) makeStage(name === 'build' ? build : runtime, root, stages.build)
  const root = stages['']
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true })
  linkOrCopy(process.execPath, join(root, 'usr/local/bin/node'))
  const options = { cwd: join(root, 'app'), ...(isRoot && { uid, gid: uid }) }
  return {
    root,
    inside: path => insideOf(root, path),
    run: (command, env) => spawnSync('/usr/bin/env', [...withoutTap, ...command], { ...options, env }).status,
    start: (t, command, env) => start(t, command, { ...options, env })
  }
}

function makeStage(stage: readonly Instruction[], root: string, buildRoot: string): void {
  let cwd = root
  mkdirSync(join(root, 'var/lib'), { recursive: true })
  for (const { name, value } of stage) {
    if (name === 'WORKDIR') {
      cwd = insideOf(root, value)
      mkdirSync(cwd, { recursive: true })
    } else if (name === 'COPY') copy(value, cwd, buildRoot)
    else if (name === 'RUN') runStep(value, cwd, root)
  }
}

/** COPY of the context, or of the build stage. */
function copy(value: string, cwd: string, buildRoot: string): void {
  const words = value.split(/\s+/)
  const fromBuild = words[0] === '--from=build'
  const sources = words.slice(fromBuild ? 1 : 0, -1)
  const target = join(cwd, words.at(-1) ?? '')
  for (const source of sources.flatMap(source => (source === '.' ? contextFiles() : [source]))) {
    if (!fromBuild && !contextFiles().includes(source)) throw new Error(`.dockerignore excludes ${source}`)
    const to = /^\.\/?$/.test(words.at(-1) ?? '') ? join(target, basename(source)) : target
    if (fromBuild) linkTree(insideOf(buildRoot, source), to)
    else cpSync(pathOf(source), to, { recursive: true })
  }
}

function runStep(command: string, cwd: string, root: string): void {
  if (command === 'npm ci') {
    linkTree(pathOf('node_modules'), join(cwd, 'node_modules'))
    // npm overwrites it in place, which would change the linked original. It is a cache.
    rmSync(join(cwd, 'node_modules/.package-lock.json'), { force: true })
    return
  }
  // Nobody but root may give files away, and nobody else needs to: the gateway then runs as this user.
  const script = `${isRoot ? '' : 'chown() { :; }; '}${command.replaceAll('/var/lib/', `${root}/var/lib/`)}`
  const PATH = `${join(cwd, 'node_modules/.bin')}:${process.env.PATH}`
  const env = { PATH, HOME: root, npm_config_offline: 'true', npm_config_audit: 'false' }
  const { status, stdout, stderr } = spawnSync('/usr/bin/env', [...withoutTap, 'sh', '-ec', script], { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`RUN ${command} ended with ${status}: ${stdout}${stderr}`)
}

const insideOf = (root: string, path: string): string => (path.startsWith('/') ? join(root, path) : path)

const mapValues = (variables: Record<string, string>, change: (value: string) => string) =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, change(value)]))

/** The names of the project's root that .dockerignore lets through. It has only the forms `*` and `!NAME`. */
function contextFiles(): string[] {
  const lines = readText('.dockerignore')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
  const [first, ...rest] = lines
  if (first !== '*' || rest.some(line => !/^![\w.-]+$/.test(line))) throw new Error('This test does not understand .dockerignore')
  const included = new Set(rest.map(line => line.slice(1)))
  return readdirSync(pathOf())
    .filter(name => included.has(name))
    .sort()
}

function linkTree(from: string, to: string): void {
  if (spawnSync('cp', ['-al', from, to]).status !== 0) cpSync(from, to, { recursive: true, verbatimSymlinks: true })
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    cpSync(from, to)
  }
}

/** CMD in its exec form, so that the process itself gets the signals. */
const commandOf = (stage: readonly Instruction[]): string[] => JSON.parse(valuesOf(stage, 'CMD')[0] ?? '')

const healthCheckOf = (stage: readonly Instruction[]): string[] =>
  JSON.parse(/ CMD (\[.*\])$/.exec(valuesOf(stage, 'HEALTHCHECK')[0] ?? '')?.[1] ?? '')

function start(t: Test, command: readonly string[], options: SpawnOptions) {
  const child = spawn('/usr/bin/env', [...withoutTap, ...command], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  killOnExit(child)
  t.teardown(() => stopProcess({ child }, 'SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', chunk => (output += chunk))
  return {
    child,
    output: () => output,
    /** Waits until the process has printed this. */
    async printed(pattern: RegExp): Promise<void> {
      while (!pattern.test(output)) {
        if (!isRunning(child)) throw new Error(`process ended with ${child.exitCode ?? child.signalCode}: ${output}`)
        await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
      }
    }
  }
}
