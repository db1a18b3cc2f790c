import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { freePort } from '../test/support/free-port.ts'
import { type NodeProcess, type Owner, startNode, stopProcess } from '../test/support/node-process.ts'
import { startRedis } from '../test/support/redis.ts'
import type { Counts } from './strict-grants.ts'

type Program = 'Grantkeeper' | 'baseline'

export type WorldOptions = {
  readonly program: Program
  readonly instances: number
  /** See strict-grants.ts. */
  readonly graceMs: number
  /** Some token requests are slow, and some responses are lost. */
  readonly faults: boolean
  /** Sessions are those of users, whom a bearer names, instead of browsers with a cookie. */
  readonly bearers?: boolean
}

export type World = {
  /** One URL per instance. */
  readonly urls: readonly string[]
  /** With `bearers`: a token of the operator's own sign-in, good for an hour. */
  readonly tokenOf: ((user: string) => Promise<string>) | undefined
  readonly provider: {
    expire(grant: string): Promise<unknown>
    counts(): Promise<Counts>
    /** The next renewal rotates its refresh token and gets no response. */
    holdNext(): Promise<unknown>
    /** Resolves when that renewal has arrived. @returns the instance that sent it */
    held(): Promise<number>
  }
  /** Kills the instance with SIGKILL and starts it again. Resolves when it is ready. */
  restart(instance: number): Promise<void>
}

const audience = 'bench'

const commands: Record<Program, readonly [file: string, ...args: string[]]> = {
  Grantkeeper: [join(import.meta.dirname, '..', 'src', 'cli', 'main.ts'), 'start'],
  baseline: [join(import.meta.dirname, 'naive-proxy.ts')]
}

/** Starts Redis, a strict provider and instances with one public URL, as real processes on free ports. They end with `owner`. */
export async function startWorld(owner: Owner, { program, instances, graceMs, faults, bearers }: WorldOptions): Promise<World> {
  const [redis, { url: origin }] = await Promise.all([
    startRedis(owner, ['--appendonly', 'yes', '--appendfsync', 'everysec']),
    startNode(owner, join(import.meta.dirname, 'strict-provider.ts'), { GRACE_MS: String(graceMs), FAULTS: faults ? '1' : '' })
  ])
  const ports = await Promise.all(Array.from({ length: instances }, freePort))
  const urls = ports.map(port => `http://127.0.0.1:${port}`)
  const secret = randomBytes(32)
  const environment = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    PUBLIC_URL: urls[0] ?? '',
    REDIS_URL: redis.url,
    SESSION_KEYS: randomBytes(32).toString('base64'),
    TOKEN_KEYS: randomBytes(32).toString('base64'),
    ...(bearers && { JWT_SECRETS: secret.toString('base64'), JWT_AUDIENCE: audience }),
    PRODUCTBOARD_CLIENT_ID: 'bench',
    PRODUCTBOARD_CLIENT_SECRET: 'bench-secret',
    PRODUCTBOARD_AUTHORIZE_URL: `${origin}/authorize`,
    PRODUCTBOARD_API_URL: `${origin}/api`
  }
  const [file, ...args] = commands[program]
  const start = (instance: number) =>
    startNode(owner, file, { ...environment, PORT: String(ports[instance]), PRODUCTBOARD_TOKEN_URL: `${origin}/token/${instance}` }, args)
  const running: NodeProcess[] = await Promise.all(urls.map((_url, instance) => start(instance)))

  const control = async (command: string) =>
    (await (await fetch(`${origin}/control/${command}`, { method: 'POST' })).json()) as { counts: Counts; instance?: string }

  const tokenOf = (user: string) =>
    new SignJWT({ sub: user, aud: audience }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(secret)

  return {
    urls,
    tokenOf: bearers ? tokenOf : undefined,
    provider: {
      expire: grant => control(`expire/${grant}`),
      counts: async () => (await control('counts')).counts,
      holdNext: () => control('hold-next'),
      held: async () => Number((await control('held')).instance)
    },
    async restart(instance) {
      const victim = running[instance]
      if (!victim) throw new RangeError(`there is no instance ${instance}`)
      await stopProcess(victim, 'SIGKILL')
      running[instance] = await start(instance)
    }
  }
}
