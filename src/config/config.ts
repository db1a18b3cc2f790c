import type { Brand } from '../core/brand.ts'
import type { AllowedOrigins } from '../core/guards/allowed-origins.ts'
import type { Provider, ProviderSettings } from '../core/provider/definition.ts'
import type { SessionLimits } from '../core/session.ts'
import type { BearerConfig } from '../core/users/bearer-config.ts'
import type { LoginConfig } from '../core/users/login-config.ts'
import type { User } from '../core/users/user.ts'
import type { RedisTarget } from '../stores/redis/target.ts'
import { readBearerConfig } from './bearer-config.ts'
import { readBrand } from './brand.ts'
import { checkDataDir } from './data-dir.ts'
import { type KnownDefinitions, knownDefinitions } from './definitions/load-definitions.ts'
import { providersFromExample } from './definitions/own-definitions.ts'
import { ConfigError, type Environment, EnvironmentReader } from './environment.ts'
import { type ConfiguredKeys, type Keys, readKeys, resolveKeys } from './keys.ts'
import { readLoginConfig } from './login-config.ts'
import { checkMisspelledNames } from './misspelled-names.ts'
import { checkExposure, readProduction } from './mode.ts'
import { basePathOf, defaultHost, readAllowedOrigins, readHost, readPublicUrl, readRedisTarget, readTrustProxy } from './network.ts'
import { readProviders } from './provider-settings.ts'
import { originOf, type ParsedOrigin } from './urls.ts'

export type Config = {
  readonly production: boolean
  readonly host: string
  readonly port: number
  /** Without a trailing slash: the base of every callback and link. */
  readonly publicUrl: string
  /** The origin of `publicUrl`. */
  readonly publicOrigin: ParsedOrigin
  /** The path of `publicUrl`, as a prefix: `/integrations`, or nothing. */
  readonly basePath: string
  /** How the pages introduce the operator's product. */
  readonly brand: Brand
  /** Where records are stored; `undefined` for the embedded store in `dataDir`. */
  readonly redis: RedisTarget | undefined
  readonly dataDir: string
  readonly keys: Keys
  /** Including the gateway's own. */
  readonly allowedOrigins: AllowedOrigins
  /** Bearer tokens and service keys that are accepted. */
  readonly bearer: BearerConfig
  /** Where users sign in; `undefined` when browsers are anonymous. */
  readonly login: LoginConfig | undefined
  /** What makes an id a user: that of tokens and service keys first, and that of the sign-in if it differs. */
  readonly userNamespaces: ReadonlyArray<Pick<User, 'issuer' | 'claim'>>
  /** Serialized origins of the operator's identity provider, which may lie inside the operator's network. */
  readonly issuerOrigins: readonly string[]
  /** IP addresses and CIDR ranges of load balancers. */
  readonly trustProxy: readonly string[]
  readonly session: SessionLimits
  /** A user's connection ends when nobody has used it for so long. */
  readonly connectionIdleMs: number
  /** How long active sessions stay usable while the store is unreachable. */
  readonly storeGraceMs: number
  /** Sign-ins that one IP address may start per minute. */
  readonly signInsPerAddress: number
  /** After SIGTERM: how long new requests are still accepted while readiness fails, then how long requests in flight may take. */
  readonly shutdown: { readonly delayMs: number; readonly timeoutMs: number }
  /** How long an idle client connection stays open. */
  readonly keepAliveMs: number
  /** Number of processes that serve one port. */
  readonly workers: number
  readonly logLevel: string
  /** By name. Empty only outside production: the sandbox then starts. */
  readonly providers: ReadonlyMap<string, ProviderSettings>
  /** Settings that are valid but probably mistakes, a line each. */
  readonly warnings: readonly string[]
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const hour = 3600
const day = 24 * hour

/** Those of a start, or just some. */
type Definitions = KnownDefinitions | readonly Provider[]

/** What the caller has. */
export type ConfigContext = {
  /** Without a configured provider it plays those that it knows. Default: outside production. */
  readonly hasSandbox?: boolean
  /** A store of its own: `REDIS_URL` does not decide where records are. Default: no. */
  readonly hasStore?: boolean
}

/**
 * Reads the configuration from environment variables.
 * @param port the port to listen on, after `PORT=0` has been resolved
 * @throws {ConfigError} with all problems at once
 */
export function readConfig(
  variables: Environment,
  definitions: Definitions,
  port = readPort(variables),
  context: ConfigContext = {}
): Config {
  const env = new EnvironmentReader(variables)
  const { settings, keys: configuredKeys } = readSettings(env, { variables, definitions, port, ...context })
  const keys = resolveKeys(env, configuredKeys, settings.dataDir)
  if (!keys) throw new ConfigError(env.problems)
  return Object.freeze({ ...settings, keys, warnings: env.warnings })
}

type Settings = Omit<Config, 'keys' | 'warnings'>

/** What the environment says, right or wrong. */
export type ExaminedConfig = {
  /** A setting with a problem has its default here. */
  readonly settings: Settings
  /** As they are set, malformed ones too. None are generated. */
  readonly keys: ConfiguredKeys
  /** Whether `REDIS_URL` is unset. An invalid one does not select the embedded store. */
  readonly isEmbedded: boolean
  /** Whether `PUBLIC_URL` is set and valid. */
  readonly hasPublicUrl: boolean
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** Reads the configuration as `readConfig` does, goes on where that throws, and creates nothing. */
export function examineConfig(variables: Environment, definitions: Definitions): ExaminedConfig {
  const env = new EnvironmentReader(variables)
  const examined = readSettings(env, { variables, definitions, port: readPort(variables) })
  return { ...examined, problems: env.problems, warnings: env.warnings }
}

/** Every variable that is read with these definitions, each with an example: `NAME=value`, or for a secret that of a file. */
export function exampleVariables(definitions: Definitions): ReadonlyMap<string, string> {
  const env = new EnvironmentReader({})
  readSettings(env, { variables: {}, definitions, port: readPort({}) })
  return new Map([...env.knownNames()].map(name => [name, env.exampleOf(name)]))
}

type SettingsOptions = ConfigContext & {
  readonly variables: Environment
  readonly definitions: Definitions
  readonly port: number
}

function readSettings(
  env: EnvironmentReader,
  { variables, definitions, port, hasSandbox, hasStore = false }: SettingsOptions
): Pick<ExaminedConfig, 'settings' | 'keys' | 'isEmbedded' | 'hasPublicUrl'> {
  const known = 'names' in definitions ? definitions : knownDefinitions(definitions)
  const production = readProduction(env)
  const configuredHost = readHost(env, production)
  const host = configuredHost ?? defaultHost
  readPort(variables, env)
  const configuredUrl = readPublicUrl(env, { production, host })
  const configuredOrigin = configuredUrl && originOf(configuredUrl.url)
  const publicOrigin = configuredOrigin ?? originOf(new URL(`http://localhost:${port}`))
  checkExposure(env, { production, host: configuredHost, publicOrigin: configuredOrigin })
  const dataDir = env.text('DATA_DIR', '/var/lib/grantkeeper') ?? '.grantkeeper'
  const keys = readKeys(env, production)
  const bearer = readBearerConfig(env, { production })
  const login = readLoginConfig(env, { production })
  checkSameIssuer(env, bearer, login)
  const settings = {
    production,
    host,
    port,
    publicUrl: configuredUrl?.href ?? publicOrigin.origin,
    basePath: configuredUrl ? basePathOf(configuredUrl) : '',
    publicOrigin,
    brand: readBrand(env, { production }),
    redis: readRedisTarget(env),
    dataDir,
    bearer,
    login,
    userNamespaces: userNamespacesOf(bearer, login),
    issuerOrigins: [
      ...(bearer.jwt?.keys.kind === 'issuer' ? bearer.jwt.keys.trustedOrigins : []),
      ...(login ? [new URL(login.issuer).origin] : [])
    ],
    allowedOrigins: readAllowedOrigins(env, { own: publicOrigin, hasBearers: bearer.jwt !== undefined || bearer.serviceKeys.length > 0 }),
    trustProxy: readTrustProxy(env),
    session: readSessionLimits(env, login !== undefined),
    connectionIdleMs: readSeconds(env, 'CONNECTION_IDLE', { min: 1, max: 3650 * day, defaultSeconds: 180 * day }),
    storeGraceMs: readSeconds(env, 'STORE_GRACE', { min: 0, max: hour, defaultSeconds: 30 }),
    signInsPerAddress: env.integer('SIGN_INS_PER_MINUTE', { min: 1, max: 1_000_000, example: 300 }) ?? 300,
    shutdown: {
      delayMs: readSeconds(env, 'SHUTDOWN_DELAY', { min: 0, max: hour, defaultSeconds: 1 }),
      timeoutMs: readSeconds(env, 'SHUTDOWN_TIMEOUT', { min: 0, max: hour, defaultSeconds: 10 })
    },
    keepAliveMs: readSeconds(env, 'KEEP_ALIVE_TIMEOUT', { min: 1, max: hour, defaultSeconds: 72 }),
    workers: env.integer('WORKERS', { min: 1, max: 256, example: 2 }) ?? 1,
    logLevel: env.oneOf('LOG_LEVEL', logLevels, 'info') ?? 'info',
    providers: readProviders(env, known, { production, hasSandbox: hasSandbox ?? !production })
  }
  env.list('PROVIDERS_FROM', providersFromExample)
  const read = new Set(known.definitions.map(({ name }) => name))
  const unread = known.names.filter(name => !read.has(name))
  for (const problem of known.problems) env.addProblem(problem)
  for (const warning of known.warnings) env.addWarning(warning)
  // An invalid REDIS_URL is one problem only: it does not select the embedded store.
  const isEmbedded = env.text('REDIS_URL') === undefined && !hasStore
  if (settings.workers > 1) checkWorkers(env, { isEmbedded, providers: settings.providers })
  if (isEmbedded || !(keys.session && keys.token)) checkDataDir(env, dataDir)
  checkMisspelledNames(env, production, unread)
  return { settings, keys, isEmbedded, hasPublicUrl: configuredOrigin !== undefined }
}

function userNamespacesOf({ jwt }: BearerConfig, login: LoginConfig | undefined): Config['userNamespaces'] {
  const issuer = login?.issuer ?? jwt?.issuer ?? ''
  const claims = new Set([jwt?.userClaim ?? 'sub', ...(login ? ['sub'] : [])])
  return [...claims].map(claim => ({ issuer, claim }))
}

/** All ways to sign in name the same users, or a connection made in a browser would not be there for the nightly job. */
function checkSameIssuer(env: EnvironmentReader, { jwt }: BearerConfig, login: LoginConfig | undefined): void {
  if (!login || !jwt) return
  if (jwt.issuer !== undefined && jwt.issuer !== login.issuer)
    env.addProblem(
      `LOGIN_ISSUER and JWT_ISSUER name different issuers, so nobody would be the same user in a page and with a token. Set both to one, for example ${env.exampleOf('LOGIN_ISSUER')} and JWT_ISSUER the same.`
    )
  if (jwt.userClaim !== 'sub')
    env.addWarning(
      `JWT_USER_CLAIM is ${jwt.userClaim}: users of tokens and service keys are named by it, and those who sign in at LOGIN_ISSUER by "sub". They are different users with different connections.`
    )
}

/** Workers share nothing except Redis. */
function checkWorkers(env: EnvironmentReader, { isEmbedded, providers }: { isEmbedded: boolean; providers: Config['providers'] }): void {
  if (isEmbedded) env.addProblem('WORKERS needs a store that processes can share: set REDIS_URL, or remove WORKERS.')
  if (providers.size === 0)
    env.addProblem('WORKERS needs a provider, since the sandbox runs in one process only. Configure one, or remove WORKERS.')
}

export function readPort(variables: Environment, env = new EnvironmentReader(variables)): number {
  return env.integer('PORT', { min: 0, max: 65535, example: 3000 }) ?? 3000
}

/** With sign-in of users a session is short: what it ends can be had again by a click. */
function readSessionLimits(env: EnvironmentReader, hasLogin: boolean): SessionLimits {
  const maxMs = readSeconds(env, 'SESSION_MAX', { min: 1, max: 365 * day, defaultSeconds: hasLogin ? 7 * day : 90 * day })
  const idleMs = readSeconds(env, 'SESSION_IDLE', { min: 1, max: 365 * day, defaultSeconds: hasLogin ? 12 * hour : 14 * day })
  return { idleMs: Math.min(idleMs, maxMs), maxMs }
}

type SecondsOptions = { readonly min: number; readonly max: number; readonly defaultSeconds: number }

/** @returns milliseconds */
function readSeconds(env: EnvironmentReader, name: string, { min, max, defaultSeconds }: SecondsOptions): number {
  return (env.integer(name, { min, max, example: defaultSeconds }) ?? defaultSeconds) * 1000
}
