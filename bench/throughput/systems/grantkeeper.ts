import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../../test/support/free-port.ts'
import type { Owner } from '../../../test/support/node-process.ts'
import { onBothCores, onTestedCore } from '../cores.ts'
import { startDaemon } from '../daemon.ts'
import { newKeys, type SealingKeys, seedSessions, seedUsers } from '../seed.ts'
import type { Running, System, World } from '../system.ts'

/** The build, as the operating guide recommends for production. */
const server = join(import.meta.dirname, '..', '..', '..', 'dist', 'src', 'cli', 'main.js')
/** The application with the plugin, of the same build. */
const application = join(import.meta.dirname, '..', 'programs', 'application.ts')
const prefix = '/integrations'

export type Variant = {
  readonly store: 'Redis' | 'embedded'
  /** Additional environment variables. */
  readonly environment?: Readonly<Record<string, string>>
  /** Runs on both cores, beside the load, instead of alone on one. */
  readonly besideLoad?: boolean
  /** Port of Node's inspector, for `collectGarbage`. */
  readonly inspectorPort?: number
  /** How many of its sessions get requests; all by default. */
  readonly called?: number
  /** Requests come with the bearer tokens of users, and not with the cookies of browsers. */
  readonly hasBearers?: boolean
  /** A plugin of an application with five hooks, instead of a server of its own. */
  readonly embedded?: boolean
}

export const grantkeeper: readonly System[] = [
  system('grantkeeper', 'Grantkeeper, Redis', { store: 'Redis' }),
  system('grantkeeper-embedded', 'Grantkeeper, embedded store', { store: 'embedded' })
]

function system(name: string, title: string, variant: Variant): System {
  return {
    name,
    title,
    needs: [],
    setUp: 'built, with NODE_ENV=production and nothing else but its addresses and keys; access log on',
    authenticates: true,
    start: (world, sessions) => startGrantkeeper(world, sessions, variant)
  }
}

/** @param sessions the number of sessions stored before it starts */
export const startGrantkeeper = async (world: World, sessions: number, variant: Variant): Promise<Running> =>
  (await prepareGrantkeeper(world, sessions, variant)).launch(world.owner)

/** All that share a Redis share its keys: each must be able to name users. */
function keysOf(world: World): SealingKeys {
  const keys = keysByWorld.get(world) ?? newKeys()
  keysByWorld.set(world, keys)
  return keys
}

const keysByWorld = new WeakMap<World, SealingKeys>()

/** A store filled with sessions, on which processes can be started one after the other. */
export type Prepared = { launch(owner: Owner): Promise<Running> }

export async function prepareGrantkeeper(
  world: World,
  sessions: number,
  { store, environment = {}, called, besideLoad, inspectorPort, hasBearers = false, embedded = false }: Variant
): Promise<Prepared> {
  const dataDir = await mkdtemp(join(world.directory, 'grantkeeper-'))
  const keys = keysOf(world)
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const redisUrl = store === 'Redis' ? world.redisUrl : undefined
  const path = embedded ? prefix : ''
  const target = { redisUrl, dataDir, keys, publicUrl: publicUrl + path }
  const signer = { secret: randomBytes(32), audience: publicUrl }
  const bearerVariables = hasBearers ? { JWT_SECRETS: signer.secret.toString('base64'), JWT_AUDIENCE: signer.audience } : {}
  const seed = () => (hasBearers ? seedUsers(target, sessions, signer) : seedSessions(target, sessions, called))
  const credentials = sessions > 0 ? await seed() : []
  const node = inspectorPort === undefined ? [process.execPath] : [process.execPath, `--inspect=127.0.0.1:${inspectorPort}`]
  const command = (besideLoad ? onBothCores : onTestedCore)([...node, ...(embedded ? [application] : [server, 'start'])])
  let starts = 0
  return {
    async launch(owner) {
      const { pid, startMs } = await startDaemon(owner, command, {
        environment: { ...variables(world, keys, port, redisUrl), DATA_DIR: dataDir, ...bearerVariables, ...environment },
        logFile: join(dataDir, `output-${++starts}.log`),
        ready: { says: / is ready: / }
      })
      return {
        base: `http://127.0.0.1:${port}${path}/proxy/productboard`,
        headers: hasBearers ? {} : { 'x-csrf': '1' },
        credentials,
        pids: [pid],
        startMs
      }
    }
  }
}

function variables({ upstream }: World, keys: SealingKeys, port: number, redisUrl: string | undefined): Record<string, string> {
  return {
    NODE_ENV: 'production',
    PORT: String(port),
    PUBLIC_URL: `http://localhost:${port}`,
    SESSION_KEYS: keys.session,
    TOKEN_KEYS: keys.token,
    PRODUCTBOARD_CLIENT_ID: 'bench',
    PRODUCTBOARD_CLIENT_SECRET: 'bench-secret',
    PRODUCTBOARD_API_URL: `${upstream}/api`,
    // There is no load balancer to wait for.
    SHUTDOWN_DELAY: '0',
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl })
  }
}
