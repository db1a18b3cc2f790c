import { callable, type ProviderDefinition } from './configured-provider.ts'
import type { AccountSource, CredentialCheck, Provider, TokenRefusal } from './definition.ts'

/** Throws a TypeError that names the provider and the field. */
type Fail = (field: string, requirement: string) => never

const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
/** A host name with an optional port; `*.` only before two or more labels, since a wildcard of a whole top-level domain is a mistake. */
const hostPattern = /^(\*\.[a-z0-9-]+\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/i
/** In lower case, as `node:http` has them. */
const headerPattern = /^[a-z0-9-]+$/
const pointerPattern = /^(\/([^~]|~[01])*)*$/

/**
 * Validates a definition when its file is loaded, so that a mistake in it fails the start and not a request.
 * @returns the definition, frozen, as a function that takes the operator's part of it
 * @throws {TypeError} naming the provider and the field
 */
export function defineProvider(provider: Provider): ProviderDefinition {
  const { name, api, methods } = provider
  const { oauth2, apiKey } = methods
  const fail: Fail = (field, requirement) => {
    throw new TypeError(`provider ${JSON.stringify(name)}: ${field} ${requirement}`)
  }
  if (!namePattern.test(name)) fail('name', 'must be lower-case words joined by "-"')
  if (!/^#[0-9a-f]{6}$/i.test(provider.color)) fail('color', 'must be #rrggbb')
  if (!oauth2 && !apiKey) fail('methods', 'must offer oauth2, apiKey or both')
  if (provider.sources.length === 0) fail('sources', 'must say where the facts come from')
  checkLimits(api, fail)
  const placements = [oauth2, apiKey].flatMap(method => method?.placements ?? [])
  for (const header of [
    ...Object.keys(api.headers ?? {}),
    ...placements.flatMap(placement => (placement.in === 'header' ? placement.name : []))
  ])
    if (!headerPattern.test(header)) fail(`header ${JSON.stringify(header)}`, 'must be in lower case')
  api.redirectHosts?.forEach((host, i) => {
    if (!hostPattern.test(host)) fail(`api.redirectHosts[${i}]`, 'must be a host such as files.example.com or *.files.example.com')
  })
  checkCredentialCheck('methods.oauth2.check', oauth2?.check, fail)
  checkCredentialCheck('methods.apiKey.check', apiKey?.check, fail)
  const revocation = oauth2?.revocation
  if (revocation !== undefined && revocation !== 'token' && revocation !== 'grant') fail('revocation', "must be 'token' or 'grant'")
  oauth2?.refusals?.forEach((refusal, i) => {
    checkRefusal(`refusals[${i}]`, refusal, fail)
  })
  checkUrls(provider, fail)
  checkAccount('methods.oauth2.account', oauth2?.account, ['token', 'id_token', 'lookup'], provider, fail)
  checkAccount('methods.apiKey.account', apiKey?.account, ['check', 'lookup'], provider, fail)
  return callable(provider)
}

function checkLimits(api: Provider['api'], fail: Fail): void {
  const { maxBodyBytes, maxHeaderBytes, timeoutMs, idleTimeoutMs, maxConcurrentRequestsPerSession, maxConcurrentRequests } = api
  const limits = {
    maxBodyBytes,
    maxHeaderBytes,
    timeoutMs,
    'idleTimeoutMs.upload': idleTimeoutMs?.upload,
    'idleTimeoutMs.download': idleTimeoutMs?.download,
    maxConcurrentRequestsPerSession,
    maxConcurrentRequests
  }
  for (const [field, value] of Object.entries(limits))
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) fail(`api.${field}`, 'must be a whole number above 0')
}

function checkCredentialCheck(field: string, check: CredentialCheck | undefined, fail: Fail): void {
  if (!check) return
  if (!check.path.startsWith('/')) fail(`${field}.path`, 'must begin with a slash')
  const statuses = [check.status].flat()
  const isFinal = (status: number) => Number.isInteger(status) && status >= 200 && status < 600
  if (statuses.length === 0 || !statuses.every(isFinal)) fail(`${field}.status`, 'must be a final HTTP status, or a list of them')
}

function checkRefusal(field: string, { pointer, oneOf, means }: TokenRefusal, fail: Fail): void {
  if (!pointerPattern.test(pointer)) fail(`${field}.pointer`, 'must be a JSON Pointer, such as /error')
  if (!Array.isArray(oneOf) || oneOf.length === 0) fail(`${field}.oneOf`, 'must list the values that mean a refusal')
  if (!['invalid_grant', 'invalid_client'].includes(means)) fail(`${field}.means`, 'must be invalid_grant or invalid_client')
}

function checkAccount(
  field: string,
  account: AccountSource<string> | undefined,
  sources: readonly string[],
  provider: Provider,
  fail: Fail
): void {
  if (!account) return
  const { from, id, name } = account
  if (!sources.includes(from)) fail(`${field}.from`, `must be ${sources.map(source => `'${source}'`).join(' or ')}`)
  const names = name === undefined ? [] : [name].flat()
  if (id === undefined && names.length === 0) fail(field, 'must have an id or a name')
  if (id !== undefined && !isPointer(id)) fail(`${field}.id`, 'must be a JSON Pointer, such as /sub')
  if (!names.every(isPointer)) fail(`${field}.name`, 'must be a JSON Pointer, such as /name, or a list of them')
  const { path, url } = account as { path?: unknown; url?: unknown }
  if (from !== 'lookup') {
    if (path !== undefined || url !== undefined) fail(`${field}.from`, "must be 'lookup' where there is a path or url")
    return
  }
  if ((path === undefined) === (url === undefined)) fail(field, 'must have a path or a url, for the look-up')
  if (path !== undefined && !(typeof path === 'string' && /^\/[^\s#]*$/.test(path)))
    fail(`${field}.path`, 'must begin with a slash, without blank and fragment')
  if (url !== undefined && !isOwnUrl(provider, url)) fail(`${field}.url`, 'must be an https URL at the origin of api.baseUrl or tokenUrl')
}

const isPointer = (value: unknown): boolean => typeof value === 'string' && pointerPattern.test(value)

function isOwnUrl(provider: Provider, value: unknown): boolean {
  const url = typeof value === 'string' ? URL.parse(value) : null
  return url?.protocol === 'https:' && url.username === '' && url.hash === '' && credentialOrigins(provider).includes(url.origin)
}

/** The origins that see a credential of this provider in any case: its API and its token endpoint. */
export const credentialOrigins = ({ api, methods }: Provider): readonly string[] =>
  [api.baseUrl, methods.oauth2?.tokenUrl].flatMap(url => (url === undefined ? [] : (URL.parse(url)?.origin ?? [])))

function checkUrls({ api, methods }: Provider, fail: Fail): void {
  const { authorizeUrl, tokenUrl, refreshUrl, revokeUrl } = methods.oauth2 ?? {}
  const linkBases = api.linkBases?.map((url, i) => [`api.linkBases[${i}]`, url] as const) ?? []
  const urls = Object.entries({ 'api.baseUrl': api.baseUrl, authorizeUrl, tokenUrl, refreshUrl, revokeUrl })
  for (const [field, url] of [...urls, ...linkBases])
    if (url !== undefined && !isPlainHttps(url)) fail(field, 'must be an https URL without user, fragment or trailing slash')
}

function isPlainHttps(text: string): boolean {
  const url = URL.parse(text)
  return url?.protocol === 'https:' && url.username === '' && url.hash === '' && !text.endsWith('/')
}
