import type { ConfiguredProvider, ProviderDefinition, ProviderOptions } from '../core/provider/configured-provider.ts'
import type { Provider } from '../core/provider/definition.ts'
import { nearestName } from '../core/util/nearest-name.ts'
import type { RedisClient } from '../stores/redis/target.ts'
import { type Config, readConfig } from './config.ts'
import { ConfigError, type Environment } from './environment.ts'
import { parameterVariable } from './provider-parameters.ts'
import { isReservedName, variablePrefix } from './variable-prefix.ts'

type Texts = string | readonly string[]

/**
 * The settings of the environment as options: each does what its variable does, and has its default. Lifetimes are in seconds. What only a
 * server can set (`HOST`, `PORT`, `WORKERS`, …) is the embedding application's.
 */
export type ConfigOptions = {
  /** The URL at which browsers reach the application, without the prefix of this plugin: `https://app.example.com`. */
  readonly publicUrl: string
  /** Base64 keys of 32 bytes, newest first. Outside production, those that are left out are generated and kept in `store.dataDir`. */
  readonly keys?: { readonly session?: Texts; readonly token?: Texts }
  /** Where connections are stored. Default: an embedded store in `.grantkeeper`, for one process. */
  readonly store?: RedisClient | { readonly redisUrl: string } | { readonly dataDir: string }
  /** Those to offer. A definition is called with its OAuth client: `github({ clientId, clientSecret })`. */
  readonly providers: ReadonlyArray<ConfiguredProvider | ProviderDefinition>
  /** A sandbox that plays all of them, in place of the vendors: `SANDBOX_URL` of `grantkeeper sandbox`. */
  readonly sandboxUrl?: string
  /** Origins of frontends on other origins than `publicUrl`. */
  readonly allowedOrigins?: Texts
  /** Sign-in of users by OpenID Connect, for an application that has none: not beside `identify`. */
  readonly login?: {
    readonly issuer: string
    readonly clientId: string
    readonly clientSecret?: string
    readonly scopes?: Texts
    readonly acrValues?: Texts
    readonly maxAge?: number
  }
  /** How the pages introduce the application: its name, the URL of an image, a colour such as `#0a7d5a`. */
  readonly app?: { readonly name?: string; readonly logoUrl?: string; readonly color?: string }
  /** Bearer tokens that are accepted. */
  readonly jwt?: {
    readonly issuer?: string
    readonly audience: Texts
    readonly jwksUrl?: string
    readonly userClaim?: string
    readonly secrets?: Texts
  }
  /** `NAME:SHA-256 in hex`, or `NAME:HASH:token`. */
  readonly serviceKeys?: Texts
  readonly sessionIdle?: number
  readonly sessionMax?: number
  readonly connectionIdle?: number
  readonly storeGrace?: number
  readonly signInsPerMinute?: number
}

/** How an option is written as the text of its variable. A list's separator is that of the variable. */
type Kind = 'text' | 'number' | 'list' | 'words'

const table: Readonly<Record<OptionPath, readonly [variable: string, kind: Kind]>> = {
  publicUrl: ['PUBLIC_URL', 'text'],
  sandboxUrl: ['SANDBOX_URL', 'text'],
  'keys.session': ['SESSION_KEYS', 'list'],
  'keys.token': ['TOKEN_KEYS', 'list'],
  'store.redisUrl': ['REDIS_URL', 'text'],
  'store.dataDir': ['DATA_DIR', 'text'],
  allowedOrigins: ['ALLOWED_ORIGINS', 'list'],
  'login.issuer': ['LOGIN_ISSUER', 'text'],
  'login.clientId': ['LOGIN_CLIENT_ID', 'text'],
  'login.clientSecret': ['LOGIN_CLIENT_SECRET', 'text'],
  'login.scopes': ['LOGIN_SCOPES', 'words'],
  'login.acrValues': ['LOGIN_ACR_VALUES', 'words'],
  'login.maxAge': ['LOGIN_MAX_AGE', 'number'],
  'app.name': ['APP_NAME', 'text'],
  'app.logoUrl': ['APP_LOGO_URL', 'text'],
  'app.color': ['APP_COLOR', 'text'],
  'jwt.issuer': ['JWT_ISSUER', 'text'],
  'jwt.audience': ['JWT_AUDIENCE', 'list'],
  'jwt.jwksUrl': ['JWT_JWKS_URL', 'text'],
  'jwt.userClaim': ['JWT_USER_CLAIM', 'text'],
  'jwt.secrets': ['JWT_SECRETS', 'list'],
  serviceKeys: ['SERVICE_KEYS', 'list'],
  sessionIdle: ['SESSION_IDLE', 'number'],
  sessionMax: ['SESSION_MAX', 'number'],
  connectionIdle: ['CONNECTION_IDLE', 'number'],
  storeGrace: ['STORE_GRACE', 'number'],
  signInsPerMinute: ['SIGN_INS_PER_MINUTE', 'number']
}

/** `keys.session`: the name of an option in a group. */
type OptionPath = Paths<Omit<ConfigOptions, 'store' | 'providers'>> | 'store.redisUrl' | 'store.dataDir'
type Paths<T> = {
  [Name in keyof T & string]-?: NonNullable<T[Name]> extends Texts | number ? Name : `${Name}.${keyof NonNullable<T[Name]> & string}`
}[keyof T & string]

const providerVariables: { readonly [Name in keyof ProviderOptions]-?: string } = {
  clientId: 'CLIENT_ID',
  clientSecret: 'CLIENT_SECRET',
  scopes: 'SCOPES',
  authorizeUrl: 'AUTHORIZE_URL',
  tokenUrl: 'TOKEN_URL',
  refreshUrl: 'REFRESH_URL',
  revokeUrl: 'REVOKE_URL',
  apiUrl: 'API_URL',
  issuer: 'ISSUER',
  hosts: 'HOSTS',
  /** With the name of a parameter. */
  parameters: 'PARAMETER_NAME'
}

/** The kinds of those that are no text. */
const providerKinds: Readonly<Partial<Record<string, Kind>>> = { scopes: 'words', hosts: 'list' }

export type OptionsConfig = {
  readonly config: Config
  /** The application's Redis client, if that is where connections are stored. */
  readonly redisClient: RedisClient | undefined
}

type Context = {
  /** The whole prefix of the plugin in the application: `/integrations`. */
  readonly prefix: string
  readonly nodeEnv: string | undefined
  /** Options that are not settings of the environment. */
  readonly otherOptions: readonly string[]
  /** Problems that the caller has found. */
  readonly problems: readonly string[]
}

/**
 * Reads an application's options by the rules of the environment.
 * @throws {ConfigError} with all problems at once, each with the name of its option
 */
export function readOptions(options: ConfigOptions, { prefix, nodeEnv, otherOptions, problems }: Context): OptionsConfig {
  const given = options as Readonly<Record<string, unknown>>
  const redisClient = isRedisClient(options.store) ? options.store : undefined
  const flat = flatten(redisClient ? { ...given, store: undefined } : given, ['providers', ...otherOptions])
  const providers = readProviderOptions(given.providers)
  const found = [...problems, ...flat.problems, ...providers.problems]
  if (flat.variables.PUBLIC_URL === undefined)
    found.push(
      "publicUrl is missing: it is the URL at which browsers reach your application, for example publicUrl: 'https://app.example.com'."
    )

  const variables: Environment = {
    ...flat.variables,
    ...providers.variables,
    // A mode that is not known may be a production system.
    NODE_ENV: nodeEnv === undefined || ['', 'development', 'test'].includes(nodeEnv) ? 'development' : 'production',
    // Who can reach the application is the application's decision.
    ALLOW_PUBLIC_DEVELOPMENT: '1',
    ...(flat.variables.PUBLIC_URL && { PUBLIC_URL: flat.variables.PUBLIC_URL.trim().replace(/\/+$/, '') + prefix }),
    ...(providers.definitions.length > 0 && { PROVIDERS: providers.definitions.map(({ name }) => name).join(',') })
  }
  const names = optionNames(providers.definitions)
  try {
    const hasStore = redisClient !== undefined
    // Without a definition there is a problem already.
    const hasSandbox = providers.definitions.length === 0
    const config = readConfig(variables, providers.definitions, undefined, { hasSandbox, hasStore })
    if (found.length > 0) throw new ConfigError(found)
    const warnings = config.warnings.filter(text => !text.includes('ALLOW_PUBLIC_DEVELOPMENT'))
    return { config: { ...config, warnings: warnings.map(text => inOptions(text, names)) }, redisClient }
  } catch (error) {
    if (!(error instanceof ConfigError) || error.problems === found) throw error
    // A problem that was found in an option itself explains what the reader then misses.
    const more = error.problems.map(text => inOptions(text, names)).filter(text => !found.some(other => sameOption(text, other)))
    throw new ConfigError([...found, ...more])
  }
}

/** By its members: it may be of another copy of ioredis. */
const isRedisClient = (store: unknown): store is RedisClient =>
  typeof store === 'object' && store !== null && typeof (store as { duplicate?: unknown }).duplicate === 'function'

type Flat = { readonly variables: Record<string, string>; readonly problems: string[] }

/** Each option as the variable that it stands for. */
function flatten(options: Readonly<Record<string, unknown>>, otherOptions: readonly string[]): Flat {
  const variables: Record<string, string> = {}
  const problems: string[] = []
  const paths = Object.keys(table)
  const groups = new Set(paths.flatMap(path => (path.includes('.') ? [path.slice(0, path.indexOf('.'))] : [])))

  function read(path: string, value: unknown): void {
    if (value === undefined) return
    const entry = table[path as OptionPath]
    if (!entry) {
      const known = [...paths, ...groups, ...otherOptions]
      problems.push(`There is no option ${path}; ${nearestName(path, known)} is probably meant.`)
      return
    }
    const [variable, kind] = entry
    const text = textOf(value, kind)
    if (text === undefined) problems.push(`${path} must be ${descriptions[kind]}, for example ${exampleOf(path, kind)}.`)
    else variables[variable] = text
  }

  for (const [name, value] of Object.entries(options)) {
    if (otherOptions.includes(name) || value === undefined) continue
    if (!groups.has(name)) read(name, value)
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [member, memberValue] of Object.entries(value)) read(`${name}.${member}`, memberValue)
    else problems.push(`${name} must be an object, for example ${name}: { ${groupExample(name)} }.`)
  }
  return { variables, problems }
}

const descriptions: Readonly<Record<Kind, string>> = {
  text: 'a string',
  number: 'a number',
  list: 'a string or a list of strings',
  words: 'a string or a list of strings'
}

function textOf(value: unknown, kind: Kind): string | undefined {
  if (kind === 'number') return typeof value === 'number' ? String(value) : undefined
  if (typeof value === 'string') return value
  const isList = (kind === 'list' || kind === 'words') && Array.isArray(value) && value.every(item => typeof item === 'string')
  return isList ? value.join(kind === 'list' ? ',' : ' ') : undefined
}

const exampleOf = (path: string, kind: Kind): string =>
  `${path.slice(path.indexOf('.') + 1)}: ${{ text: "'…'", number: '3600', list: "['…']", words: "['…']" }[kind]}`

const groupExample = (group: string): string => {
  const [path, [, kind]] = Object.entries(table).find(([path]) => path.startsWith(`${group}.`)) as [string, readonly [string, Kind]]
  return exampleOf(path, kind)
}

function readProviderOptions(value: unknown): Flat & { readonly definitions: readonly Provider[] } {
  const variables: Record<string, string> = {}
  const problems: string[] = []
  const definitions: Provider[] = []
  const example = "for example providers: [acme({ clientId: '…', clientSecret: '…' })]"
  if (!Array.isArray(value) || value.length === 0) {
    problems.push(`providers must be a list of the providers to offer, ${example}.`)
    return { variables, problems, definitions }
  }
  for (const [i, item] of value.entries()) {
    const { definition = item, options = {} } = (item ?? {}) as Partial<ConfiguredProvider>
    if (typeof definition !== 'function' || !('methods' in definition)) {
      problems.push(`providers[${i}] is not a definition, made with defineProvider, that was called with its options, ${example}.`)
      continue
    }
    const { name } = definition as Provider
    const prefix = variablePrefix(definition as Provider)
    if (definitions.some(other => other.name === name)) problems.push(`providers[${i}]: ${name} is listed twice. Remove one of them.`)
    else if (isReservedName(name))
      problems.push(`providers[${i}]: a provider cannot have the name ${name}, by which settings of the gateway begin. Choose another.`)
    else definitions.push(definition as Provider)
    for (const [option, variable] of Object.entries(providerVariables)) {
      const text = textOf(options[option as keyof ProviderOptions], providerKinds[option] ?? 'text')
      if (text !== undefined) variables[`${prefix}_${variable}`] = text
    }
    for (const [parameter, value] of Object.entries(options.parameters ?? {}))
      variables[parameterVariable(definition as Provider, parameter)] = value
  }
  return { variables, problems, definitions }
}

/** The option that does what a variable does: `login.clientId` for `LOGIN_CLIENT_ID`; for a provider's, `clientId` for `P_CLIENT_ID`. */
export function optionOf(variable: string): string | undefined {
  if (variable === 'PROVIDERS') return 'providers'
  const [path] = Object.entries(table).find(([, [name]]) => name === variable) ?? []
  return path ?? Object.entries(providerVariables).find(([, suffix]) => variable === `P_${suffix}`)?.[0]
}

type OptionNames = ReadonlyMap<string, readonly [path: string, kind: Kind]>

/** The options by the names of their variables. */
function optionNames(definitions: readonly Provider[]): OptionNames {
  const names = new Map<string, readonly [string, Kind]>([['PROVIDERS', ['providers', 'list']]])
  for (const [path, [variable, kind]] of Object.entries(table)) names.set(variable, [path, kind])
  for (const definition of definitions) {
    for (const [option, variable] of Object.entries(providerVariables))
      names.set(`${variablePrefix(definition)}_${variable}`, [`the ${option} of ${definition.name}`, providerKinds[option] ?? 'text'])
    for (const parameter of Object.keys(definition.parameters ?? {}))
      names.set(parameterVariable(definition, parameter), [`parameters.${parameter} of ${definition.name}`, 'text'])
  }
  return names
}

/** A problem of the environment in the words of options: `SESSION_IDLE=3600` is `sessionIdle: 3600`. */
function inOptions(text: string, names: OptionNames): string {
  return text.replace(
    /\b([A-Z][A-Z\d]*(?:_[A-Z\d]+)*?)(_FILE)?(?:=("\$\(.*?\)"|\S*?(?=[,.;)]*(?:\s|$))))?(?![\w])/g,
    (match, name, file, value) => {
      const option = names.get(name)
      if (!option) return match
      const [path, kind] = option
      if (value === undefined || file !== undefined) return value === undefined ? path : `${path}, a string`
      const command = /^"\$\((.*)\)"$/.exec(value)?.[1]
      if (command !== undefined) return `${path}, an output of ${command}`
      if (kind === 'number') return `${path}: ${value}`
      const quoted = value
        .split(kind === 'list' ? ',' : '\u0000')
        .map((item: string) => `'${item}'`)
        .join(', ')
      return `${path}: ${kind === 'list' || kind === 'words' ? `[${quoted}]` : quoted}`
    }
  )
}

/** Whether two problems are about one option. */
const sameOption = (one: string, other: string): boolean => {
  const [name] = one.split(/[\s:]/, 1)
  return name !== '' && name === other.split(/[\s:]/, 1)[0]
}
