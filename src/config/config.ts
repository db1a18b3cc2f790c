import type { Provider, ProviderSettings } from '../core/provider/provider.ts'
import type { SessionLimits } from '../core/session.ts'
import type { RedisTarget } from '../stores/redis/target.ts'
import { checkDataDir } from './data-dir.ts'
import { ConfigError, type Environment, EnvironmentReader } from './environment.ts'
import { completeKeys, type Keys, readKeys } from './keys.ts'
import { checkNames } from './misspelled-names.ts'
import { checkExposure, readProduction } from './mode.ts'
import { defaultHost, readAllowedOrigins, readHost, readPublicUrl, readRedisTarget, readTrustProxy } from './network.ts'
import { readProviders } from './provider-settings.ts'
import { originOf, type ParsedOrigin } from './urls.ts'

export type Config = {
  readonly production: boolean
  readonly host: string
  readonly port: number
  /** Serialized origin, without a trailing slash: the base of every callback and link. */
  readonly publicUrl: string
  /** The same, parsed. */
  readonly publicOrigin: ParsedOrigin
  /** Where records are stored; `undefined` for the embedded store in `dataDir`. */
  readonly redis: RedisTarget | undefined
  readonly dataDir: string
  readonly keys: Keys
  /** Serialized origins; the gateway's own is among them. */
  readonly allowedOrigins: ReadonlySet<string>
  readonly trustProxy: readonly string[]
  readonly session: SessionLimits
  /** How long sessions that were in use go on while the store cannot be reached. */
  readonly storeGraceMs: number
  /** Sign-ins that one address may begin in a minute. */
  readonly signInsPerAddress: number
  /** After SIGTERM: how long it still takes calls while it says that it is not ready, and how long calls under way may then go on. */
  readonly shutdown: { readonly delayMs: number; readonly timeoutMs: number }
  /** How long a client's connection on which nothing is under way is kept. */
  readonly keepAliveMs: number
  /** Processes that serve, behind one port. */
  readonly workers: number
  readonly logLevel: string
  /** By name. Empty only outside production, where the sandbox then plays them. */
  readonly providers: ReadonlyMap<string, ProviderSettings>
  /** What may be meant so and is likely not: a line each, for whoever starts it. */
  readonly warnings: readonly string[]
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const hour = 3600
const day = 24 * hour

/**
 * Reads the whole environment.
 * @param port the port that is listened on, where `PORT=0` has been resolved
 * @throws {ConfigError} with every problem at once
 */
export function readConfig(variables: Environment, definitions: readonly Provider[], port = readPort(variables)): Config {
  const env = new EnvironmentReader(variables)
  const production = readProduction(env)
  const hostAsSet = readHost(env, production)
  const host = hostAsSet ?? defaultHost
  readPort(variables, env)
  const originAsSet = readPublicUrl(env, { production, host })
  const publicOrigin = originAsSet ?? originOf(new URL(`http://localhost:${port}`))
  checkExposure(env, { production, host: hostAsSet, publicOrigin: originAsSet })
  const dataDir = env.text('DATA_DIR', '/var/lib/grantkeeper') ?? '.grantkeeper'
  const givenKeys = readKeys(env, production)
  const config = {
    production,
    host,
    port,
    publicUrl: publicOrigin.origin,
    publicOrigin,
    redis: readRedisTarget(env),
    dataDir,
    allowedOrigins: readAllowedOrigins(env, publicOrigin),
    trustProxy: readTrustProxy(env),
    session: readLimits(env),
    storeGraceMs: seconds(env, 'STORE_GRACE', { min: 0, max: hour, usual: 30 }),
    signInsPerAddress: env.integer('SIGN_INS_PER_MINUTE', { min: 1, max: 1_000_000, example: 300 }) ?? 300,
    shutdown: {
      delayMs: seconds(env, 'SHUTDOWN_DELAY', { min: 0, max: hour, usual: 1 }),
      timeoutMs: seconds(env, 'SHUTDOWN_TIMEOUT', { min: 0, max: hour, usual: 10 })
    },
    keepAliveMs: seconds(env, 'KEEP_ALIVE_TIMEOUT', { min: 1, max: hour, usual: 72 }),
    workers: env.integer('WORKERS', { min: 1, max: 256, example: 2 }) ?? 1,
    logLevel: env.oneOf('LOG_LEVEL', logLevels, 'info') ?? 'info',
    providers: readProviders(env, definitions, production)
  }
  // An invalid REDIS_URL is one problem only: it does not select the embedded store.
  const isEmbedded = env.text('REDIS_URL') === undefined
  if (config.workers > 1) checkWorkers(env, { isEmbedded, providers: config.providers })
  if (isEmbedded || !(givenKeys.session && givenKeys.token)) checkDataDir(env, dataDir)
  checkNames(env, production)
  const keys = completeKeys(env, givenKeys, dataDir)
  if (!keys) throw new ConfigError(env.problems)
  return Object.freeze({ ...config, keys, warnings: env.warnings })
}

/** They have nothing in common but what is in Redis. */
function checkWorkers(env: EnvironmentReader, { isEmbedded, providers }: { isEmbedded: boolean; providers: Config['providers'] }): void {
  if (isEmbedded) env.problem('WORKERS asks for a store that processes can share: set REDIS_URL, or leave WORKERS out.')
  if (providers.size === 0)
    env.problem('WORKERS asks for a provider: the sandbox lives in one process. Configure one, or leave WORKERS out.')
}

export function readPort(variables: Environment, env = new EnvironmentReader(variables)): number {
  return env.integer('PORT', { min: 0, max: 65535, example: 3000 }) ?? 3000
}

function readLimits(env: EnvironmentReader): SessionLimits {
  const maxMs = seconds(env, 'SESSION_MAX', { min: 1, max: 365 * day, usual: 90 * day })
  const idleMs = seconds(env, 'SESSION_IDLE', { min: 1, max: 365 * day, usual: 14 * day })
  return { idleMs: Math.min(idleMs, maxMs), maxMs }
}

/** @returns milliseconds */
function seconds(env: EnvironmentReader, name: string, { min, max, usual }: { min: number; max: number; usual: number }): number {
  return (env.integer(name, { min, max, example: usual }) ?? usual) * 1000
}
