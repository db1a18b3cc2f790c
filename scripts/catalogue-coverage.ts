// Counts how much of the largest public catalogue of providers the language of definitions can say: each entry is translated into a definition,
// which is validated. What cannot be translated is named with its reason.
//
//   node scripts/catalogue-coverage.ts providers.yaml [--missing]
//
// The file is `packages/providers/providers.yaml` of NangoHQ/nango, under its own licence: it is read, and nothing of it is kept here.

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { DefinitionError, defineProvider } from '../src/core/provider/define-provider.ts'
import type { Api, ApiKeyMethod, OAuth2Method, Provider } from '../src/core/provider/definition.ts'
import type { LearntValue, LearntValues, Parameter, Parameters } from '../src/core/provider/parameter.ts'
import type { Placement, RequestTemplate } from '../src/core/provider/request-template.ts'

type Texts = Record<string, string>
type Asked = {
  title?: string
  example?: string
  enum?: string[]
  pattern?: string
  prefix?: string
  suffix?: string
  automated?: boolean
  default_value?: string
  secret?: boolean
}
type Entry = {
  alias?: string
  display_name?: string
  auth_mode: string
  authorization_url?: string
  authorization_url_fragment?: string
  authorization_url_replacements?: Texts
  authorization_params?: Texts
  authorization_method?: string
  authorization_code_param_in_callback?: string
  token_url?: string
  token_params?: Record<string, unknown>
  token_headers?: Texts
  token_request_method?: string
  token_request_auth_method?: string
  token_response?: { token: string; token_expiration?: string; token_expiration_strategy?: string; refresh_token?: string }
  token_response_metadata?: string[]
  redirect_uri_metadata?: string[]
  post_connection_script?: string
  alternate_access_token_response_path?: string
  refresh_url?: string
  refresh_params?: Texts
  scope_separator?: string
  default_scopes?: string[]
  disable_pkce?: boolean
  body_format?: string
  additional_steps?: unknown
  signature?: unknown
  assertion?: unknown
  require_client_certificate?: boolean
  client_registration?: string
  installation?: unknown
  connection_config?: Record<string, Asked>
  credentials?: Record<string, Asked>
  proxy?: { base_url?: string; headers?: Texts; query?: Texts; verification?: { method?: string; endpoints?: string[] } }
}

/** Why an entry cannot be said. */
class Inexpressible extends Error {}
const cannot = (reason: string): never => {
  throw new Inexpressible(reason)
}

const snake = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^a-zA-Z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase()

const names: Readonly<Record<string, string>> = {
  apiKey: 'key',
  accessToken: 'access_token',
  clientId: 'client_id',
  clientSecret: 'client_secret',
  username: 'username',
  password: 'key',
  refresh_token: 'refresh_token'
}

/** One entry on its way to a definition. */
class Translation {
  readonly entry: Entry
  readonly parameters: Record<string, Parameter> = {}
  readonly values: Record<string, LearntValue> = {}
  /** The field that is the credential. */
  readonly secretField: string | undefined
  readonly fields: Parameters | undefined

  constructor(entry: Entry) {
    this.entry = entry
    const given = entry.auth_mode === 'OAUTH2' ? [] : Object.keys(entry.credentials ?? {})
    const isBasic = entry.auth_mode === 'BASIC'
    const isClient = entry.auth_mode === 'OAUTH2_CC'
    const all = isBasic ? ['username', 'password'] : isClient ? ['client_id', 'client_secret'] : given
    this.secretField = all.find(name => /secret|password|token|assertion/i.test(name)) ?? all.at(-1)
    this.fields =
      all.length > 1 || (all.length === 1 && all[0] !== 'apiKey')
        ? Object.fromEntries(all.map(name => [this.fieldName(name), { title: name, example: 'x' }]))
        : undefined
  }

  fieldName(name: string): string {
    return name === this.secretField ? 'key' : snake(name)
  }

  /** The template in our expressions. */
  template(text: string, host?: 'whole' | 'label'): string {
    const [first = '', fallback] = text.split(' || ')
    return first.replace(/\$\{base64\(|\$\{([^}]*)\}/g, (match, expression: string | undefined) => {
      if (expression === undefined) return cannot(`an encoding of its own: ${match}…`)
      const [, scope, name] = /^(?:(connectionConfig|credentials)\.)?(.+)$/.exec(expression) ?? []
      if (name === undefined || !/^[\w-]+$/.test(name)) return cannot(`an expression of its own: ${match}`)
      if (scope === 'credentials') return `{${this.fieldName(name)}}`
      if (scope === undefined)
        return names[name] ? `{${this.fields && name === 'password' ? 'key' : names[name]}}` : cannot(`an expression of its own: ${match}`)
      return `{${this.asked(name, host, fallback)}}`
    })
  }

  /** Declares what is asked or learnt. */
  asked(name: string, host: 'whole' | 'label' | undefined, fallback: string | undefined): string {
    const { entry } = this
    const ours = snake(name)
    const asked = entry.connection_config?.[name] ?? {}
    const from = entry.token_response_metadata?.some(path => path.split('.').at(-1) === name || path === name)
      ? 'token'
      : entry.redirect_uri_metadata?.includes(name)
        ? 'callback'
        : asked.automated && entry.post_connection_script
          ? 'lookup'
          : undefined
    if (from) {
      const pointer = from === 'callback' ? { parameter: name } : { pointer: `/${name.replaceAll('.', '/')}` }
      const isUrl = host === 'whole'
      this.values[ours] ??= {
        from,
        ...pointer,
        example: isUrl ? 'https://a.vendor.com' : 'x',
        ...(isUrl && { suffix: '.vendor.com' })
      } as LearntValue
      return ours
    }
    // Neither asked nor learnt: what the operator sets for everybody.
    const operator = asked.automated === true
    const title = asked.title || name
    const list = asked.enum && Object.fromEntries(asked.enum.map(value => [value, value]))
    const first = asked.enum?.[0]
    const defaults = asked.default_value ?? (fallback !== undefined && !fallback.includes('$') && host === undefined ? fallback : undefined)
    this.parameters[ours] ??= list
      ? { title, example: String(first), oneOf: list }
      : {
          title,
          example: host === 'whole' ? 'a.vendor.com' : 'x',
          ...(host === 'whole' && { isHost: true }),
          ...(defaults && { default: defaults }),
          ...(operator && { operator })
        }
    return ours
  }

  url(text: string): string {
    const [url = ''] = text.split(' || ')
    const authority = /^(https?:\/\/)?([^/?#]*)/.exec(url) ?? []
    const [, scheme = '', host = ''] = authority
    if (scheme === 'http://') cannot('plain http')
    // What is typed as a URL is a host to us.
    const isWhole = /^\$\{[^}]*\}$/.test(host)
    const kind = isWhole ? 'whole' : host.includes('${') ? 'label' : undefined
    let translatedHost = this.template(host, kind)
    const rest = this.template(url.slice(scheme.length + host.length))
    const name = /^\{(\w+)\}$/.exec(translatedHost)?.[1]
    const isLearnt = name !== undefined && Object.hasOwn(this.values, name)
    if (isWhole && scheme !== '' && isLearnt) return `https://${translatedHost}${rest}`
    if (scheme === '' && isWhole && !isLearnt) translatedHost = `https://${translatedHost}`
    return (scheme + translatedHost + rest).replace(/\s/g, '%20')
  }

  texts(texts: Readonly<Record<string, unknown>> | undefined): Texts {
    const translated: Texts = {}
    for (const [name, value] of Object.entries(texts ?? {})) {
      if (typeof value === 'object' && value !== null) cannot('a nested token request')
      translated[name] = this.template(String(value))
    }
    return translated
  }
}

const pointerOf = (path: string): string => (path === '' ? '' : `/${path.replaceAll('.', '/')}`)

/** A header that says `Basic` with an encoding of two expressions. */
function basicIn(translation: Translation, value: string): { username: string; password: string } | undefined {
  const [, inner] = /^Basic \$\{base64\((.*)\)\}$/i.exec(value) ?? []
  if (inner === undefined) return undefined
  const at = inner.indexOf(':')
  if (at === -1) return cannot('a Basic header without a colon')
  return { username: translation.template(inner.slice(0, at)), password: translation.template(inner.slice(at + 1)) }
}

function apiOf(translation: Translation): { api: Api; placements: Placement[] } {
  const { proxy = {} } = translation.entry
  if (proxy.base_url === undefined) cannot('no base URL')
  const baseUrl = translation.url(proxy.base_url as string).replace(/\/+$/, '')
  const headers: Texts = {}
  const query: Texts = {}
  const placements: Placement[] = []
  for (const [name, value] of Object.entries(proxy.headers ?? {})) {
    const basic = basicIn(translation, value)
    const text = basic ? '' : translation.template(value)
    if (basic) placements.push({ in: 'basic', ...basic })
    else if (/\{(key|access_token)\}/.test(text)) placements.push({ in: 'header', name: name.toLowerCase(), value: text })
    else headers[name.toLowerCase()] = text
  }
  for (const [name, value] of Object.entries(proxy.query ?? {})) {
    const text = translation.template(value)
    if (/^\{(key|access_token)\}$/.test(text)) placements.push({ in: 'query', name })
    else query[name] = text
  }
  if (placements.length > 1) cannot('the credential in two places')
  // Basic is said by the kind alone.
  return {
    api: { baseUrl, ...(Object.keys(headers).length > 0 && { headers }), ...(Object.keys(query).length > 0 && { query }) },
    placements
  }
}

function checkOf({ entry }: Translation): ApiKeyMethod['check'] {
  const { method = 'GET', endpoints = [] } = entry.proxy?.verification ?? {}
  const [path] = endpoints
  if (path === undefined || !/^\/[^\s#$]*$/.test(path) || !/^(GET|POST|HEAD)$/.test(method)) return undefined
  return { path, status: 200, method: method as 'GET' }
}

const help = { steps: ['Connect.'] }

function oauth2Of(translation: Translation, placements: Placement[]): OAuth2Method {
  const { entry } = translation
  if (entry.authorization_code_param_in_callback) cannot('the code under another name')
  if (entry.installation || entry.additional_steps) cannot('an installation step')
  const replaced = entry.authorization_url_replacements ?? {}
  const idName = Object.entries(replaced)
    .find(([from]) => /^client_id=?$/.test(from))?.[1]
    .replace('=', '')
  if (Object.keys(replaced).some(from => !/^(client_id|response_type)=?$/.test(from))) cannot('other names for redirect_uri or state')
  if (typeof entry.token_url !== 'string' || entry.authorization_url === undefined) cannot('several kinds of tokens')
  const fragment = entry.authorization_url_fragment ?? ''
  const authorizeUrl = translation.url(entry.authorization_url as string) + (fragment && `/${fragment.replace(/^\//, '')}`)
  if (/#/.test(authorizeUrl)) cannot('a fragment in the authorization URL')
  const { grant_type: grantType, ...tokenParams } = translation.texts(entry.token_params)
  if (grantType !== undefined && grantType !== 'authorization_code') cannot(`the grant ${grantType}`)
  const { grant_type: refreshGrant, ...refreshParams } = translation.texts(entry.refresh_params)
  if (refreshGrant !== undefined && refreshGrant !== 'refresh_token') cannot(`the grant ${refreshGrant} for a refresh`)
  const { response_type: _, ...authorizeParams } = translation.texts(entry.authorization_params)
  return {
    authorizeUrl,
    tokenUrl: translation.url(entry.token_url as string),
    ...(entry.refresh_url && { refreshUrl: translation.url(entry.refresh_url) }),
    scopes: [],
    ...(entry.scope_separator && { scopeSeparator: entry.scope_separator }),
    clientAuthentication:
      entry.authorization_method === 'header' || entry.token_request_auth_method === 'basic'
        ? 'basic'
        : ['custom', 'private_key_jwt'].includes(entry.token_request_auth_method ?? '')
          ? cannot('a client authentication of its own')
          : 'body',
    ...(idName && { clientIdParameter: idName }),
    ...(entry.disable_pkce && { pkce: false as const }),
    ...(entry.body_format === 'json' && { tokenRequestFormat: 'json' as const }),
    ...(entry.alternate_access_token_response_path && {
      tokenResponse: { accessToken: `${pointerOf(entry.alternate_access_token_response_path)}/access_token` }
    }),
    authorizeParams,
    tokenParams,
    refreshParams,
    ...(placements.length > 0 && { placements }),
    help
  }
}

function tokenRequestOf(translation: Translation): RequestTemplate {
  const { entry } = translation
  if (entry.additional_steps) cannot('several token requests one after the other')
  if (entry.signature || entry.assertion) cannot('a signature')
  if (entry.require_client_certificate) cannot('a client certificate')
  if (typeof entry.token_url !== 'string') cannot('no token URL')
  if (entry.body_format === 'xml') cannot('an XML token request')
  const headers: Texts = {}
  let basic: RequestTemplate['basic']
  for (const [name, value] of Object.entries(entry.token_headers ?? {})) {
    const own = basicIn(translation, value)
    if (own) basic = own
    else if (!/^content-type$/i.test(name)) headers[name.toLowerCase()] = translation.template(value)
  }
  const params = translation.texts(entry.token_params)
  if (entry.auth_mode === 'OAUTH2_CC') {
    if (entry.token_request_auth_method === 'basic') basic = { username: '{client_id}', password: '{key}' }
    else if (entry.token_request_auth_method) cannot('a client authentication of its own')
    else Object.assign(params, { client_id: '{client_id}', client_secret: '{key}' })
    params.grant_type ??= 'client_credentials'
  }
  const isQuery = entry.body_format === 'query' || entry.token_request_method === 'GET'
  return {
    url: translation.url(entry.token_url as string),
    ...(entry.token_request_method === 'GET' && { method: 'GET' as const }),
    ...(isQuery ? { format: 'query' as const } : entry.body_format === 'json' ? { format: 'json' as const } : {}),
    params,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(basic && { basic })
  }
}

function keyOf(translation: Translation, placements: Placement[]): ApiKeyMethod {
  const { entry, fields } = translation
  const isExchanged = entry.auth_mode === 'TWO_STEP' || entry.auth_mode === 'OAUTH2_CC'
  if (entry.auth_mode === 'BASIC' && placements.length === 0) placements.push({ in: 'basic', username: '{username}', password: '{key}' })
  if (placements.length === 0 && !isExchanged) cannot('the key has no place')
  const { token, token_expiration: expiry, token_expiration_strategy: strategy } = entry.token_response ?? {}
  return {
    ...(fields && { fields }),
    placements: placements.length > 0 ? placements : [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
    ...(isExchanged
      ? {
          tokenRequest: tokenRequestOf(translation),
          ...(token !== undefined && {
            tokenResponse: {
              accessToken: pointerOf(token),
              ...(expiry && { [strategy === 'expireAt' ? 'expiresAt' : 'expiresIn']: pointerOf(expiry) })
            }
          })
        }
      : {}),
    ...(checkOf(translation) && { check: checkOf(translation) as NonNullable<ApiKeyMethod['check']> }),
    help
  }
}

const modes: ReadonlySet<string> = new Set(['OAUTH2', 'API_KEY', 'BASIC', 'OAUTH2_CC', 'TWO_STEP'])

function translate(name: string, given: Entry): Provider {
  const entry = given.client_registration === 'static' ? { ...given, auth_mode: 'OAUTH2' } : given
  if (!modes.has(entry.auth_mode)) cannot(entry.client_registration ? 'a client that registers itself' : `the kind ${entry.auth_mode}`)
  const translation = new Translation(entry)
  const { api, placements } = apiOf(translation)
  const isOAuth = entry.auth_mode === 'OAUTH2'
  const method = isOAuth ? oauth2Of(translation, placements) : keyOf(translation, placements)
  const values: LearntValues = translation.values
  const lookup = Object.values(values).some(({ from }) => from === 'lookup') ? { lookup: { path: '/me' } } : {}
  const learnt = Object.keys(values).length > 0 ? { values, ...lookup } : {}
  return {
    name: `x-${snake(name).replaceAll('_', '-')}`,
    title: entry.display_name ?? name,
    description: 'An entry of the catalogue',
    color: '#123456',
    ...(Object.keys(translation.parameters).length > 0 && { parameters: translation.parameters }),
    api,
    methods: isOAuth ? { oauth2: { ...(method as OAuth2Method), ...learnt } } : { apiKey: { ...(method as ApiKeyMethod), ...learnt } },
    sources: [{ facts: 'all', from: 'the catalogue', confidence: 'guide', checked: '2026-08-21' }]
  }
}

function reasonOf(name: string, entry: Entry): string | undefined {
  try {
    defineProvider(translate(name, entry))
    return undefined
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems.map(({ field, requirement }) => `${field} ${requirement}`).join('; ')
    if (error instanceof Inexpressible) return error.message
    throw error
  }
}

const print = (line: string) => process.stdout.write(`${line}\n`)

const [file = '', ...flags] = process.argv.slice(2)
const all = parse(readFileSync(file, 'utf8')) as Record<string, Entry>
/** An entry with what it takes from another. */
function whole(entry: Entry): Entry {
  if (entry.alias === undefined) return entry
  const base = whole(all[entry.alias] as Entry)
  return { ...base, ...entry, proxy: { ...base.proxy, ...entry.proxy } }
}

const results = Object.entries(all).map(([name, entry]) => ({ name, mode: whole(entry).auth_mode, reason: reasonOf(name, whole(entry)) }))
/** The catalogue finds a value by a script of its own: it is taken for one look-up, which most of them are. */
const byScript = Object.entries(all).filter(([name, entry]) => {
  if (reasonOf(name, whole(entry)) !== undefined) return false
  const { oauth2, apiKey } = translate(name, whole(entry)).methods
  return (oauth2 ?? apiKey)?.lookup !== undefined
})
const byMode = Map.groupBy(results, ({ mode }) => mode)
const said = (list: readonly { reason: string | undefined }[]) => list.filter(({ reason }) => reason === undefined).length
for (const [mode, list] of byMode) print(`${mode.padEnd(20)} ${String(said(list)).padStart(4)} of ${list.length}`)
const common = ['OAUTH2', 'API_KEY', 'BASIC'].flatMap(mode => byMode.get(mode) ?? [])
print(`${'OAuth 2.0, key, Basic'.padEnd(20)} ${said(common)} of ${common.length}`)
print(`${'all'.padEnd(20)} ${said(results)} of ${results.length}`)
print(`${byScript.length} of them by a look-up for which the catalogue has a script`)
if (flags.includes('--missing'))
  for (const { name, mode, reason } of results) if (reason !== undefined) print(`${name} (${mode}): ${reason}`)
