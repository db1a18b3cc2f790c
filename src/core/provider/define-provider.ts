import type { Provider } from './definition.ts'

const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/

/**
 * Checks a definition when its file is loaded, so that a slip in it is a message at the start and not a fault in a call.
 * @throws {TypeError} naming the provider and the field.
 */
export function defineProvider(provider: Provider): Provider {
  const { name, api, methods } = provider
  const fail = (field: string, why: string): never => {
    throw new TypeError(`provider ${JSON.stringify(name)}: ${field} ${why}`)
  }
  if (!namePattern.test(name)) fail('name', 'must be lower-case words joined by "-"')
  if (!/^#[0-9a-f]{6}$/i.test(provider.color)) fail('color', 'must be #rrggbb')
  if (!methods.oauth2 && !methods.apiKey) fail('methods', 'must offer oauth2, apiKey or both')
  if (provider.sources.length === 0) fail('sources', 'must say where the facts come from')
  const { maxBodyBytes, maxHeaderBytes, timeoutMs, idleTimeoutMs, maxCallsPerSession, maxCalls } = api
  const numbers = {
    maxBodyBytes,
    maxHeaderBytes,
    timeoutMs,
    'idleTimeoutMs.upload': idleTimeoutMs?.upload,
    'idleTimeoutMs.download': idleTimeoutMs?.download,
    maxCallsPerSession,
    maxCalls
  }
  for (const [field, value] of Object.entries(numbers))
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) fail(`api.${field}`, 'must be a whole number above 0')
  api.redirectHosts?.forEach((host, i) => {
    // A wildcard of a whole top-level domain is a slip.
    if (!/^(\*\.[a-z0-9-]+\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/i.test(host))
      fail(`api.redirectHosts[${i}]`, 'must be a host such as files.example.com or *.files.example.com')
  })
  for (const [field, check] of [
    ['methods.oauth2.check', methods.oauth2?.check],
    ['methods.apiKey.check', methods.apiKey?.check]
  ] as const) {
    if (check && !check.path.startsWith('/')) fail(`${field}.path`, 'must begin with a slash')
    const statuses = check && [check.status].flat()
    if (statuses && !(statuses.length > 0 && statuses.every(status => Number.isInteger(status) && status >= 200 && status < 600)))
      fail(`${field}.status`, 'must be a final HTTP status, or a list of them')
  }
  const { authorizeUrl, tokenUrl, refreshUrl, revokeUrl, revocation, refusals = [] } = methods.oauth2 ?? {}
  if (revocation !== undefined && revocation !== 'token' && revocation !== 'grant') fail('revocation', "must be 'token' or 'grant'")
  for (const [i, { pointer, oneOf, means }] of refusals.entries()) {
    if (!/^(\/([^~]|~[01])*)*$/.test(pointer)) fail(`refusals[${i}].pointer`, 'must be a JSON Pointer, such as /error')
    if (!Array.isArray(oneOf) || oneOf.length === 0) fail(`refusals[${i}].oneOf`, 'must list the values that say no')
    if (!['invalid_grant', 'invalid_client'].includes(means)) fail(`refusals[${i}].means`, 'must be invalid_grant or invalid_client')
  }
  const linkBases = api.linkBases?.map((url, i) => [`api.linkBases[${i}]`, url] as const) ?? []
  const addresses = Object.entries({ 'api.baseUrl': api.baseUrl, authorizeUrl, tokenUrl, refreshUrl, revokeUrl })
  for (const [field, url] of [...addresses, ...linkBases]) {
    if (url !== undefined && !isPlainHttps(url)) fail(field, 'must be an https URL without user, fragment or trailing slash')
  }
  return Object.freeze(provider)
}

function isPlainHttps(text: string): boolean {
  const url = URL.parse(text)
  return url?.protocol === 'https:' && url.username === '' && url.hash === '' && !text.endsWith('/')
}
