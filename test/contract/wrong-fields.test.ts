import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { startContract } from './support.ts'

/** Fields of definitions, and what would be wrong in their place; `undefined`: to leave them out. */
const wrong: Readonly<Record<string, ReadonlyArray<readonly [field: string, value: unknown]>>> = {
  github: [
    ['api.baseUrl', 'https://api.github.com/v3'],
    ['api.headers', { 'x-github-api-version': '2001-01-01' }],
    ['api.bases.uploads', 'https://uploads.github.com/v3'],
    ['methods.oauth2.authorizeUrl', 'https://github.com/login/authorize'],
    ['methods.oauth2.tokenUrl', 'https://github.com/login/token'],
    ['methods.oauth2.pkce', false],
    ['methods.oauth2.clientIdParameter', 'client_key'],
    ['methods.oauth2.account.id', '/node/id'],
    ['methods.oauth2.revokeRequest.method', 'POST'],
    ['methods.oauth2.revokeRequest.params', { token: '{access_token}' }],
    ['methods.apiKey.check.path', '/me'],
    ['methods.apiKey.placements', [{ in: 'header', name: 'authorization', prefix: 'Key ' }]]
  ],
  linkedin: [
    ['methods.oauth2.pkce', undefined],
    ['methods.oauth2.scopeSeparator', ','],
    ['methods.oauth2.scopeParameter', 'scopes']
  ],
  notion: [
    ['methods.oauth2.clientAuthentication', 'body'],
    ['methods.oauth2.tokenRequestFormat', undefined],
    ['methods.oauth2.authorizeParams', undefined],
    ['methods.oauth2.account.name', '/bot_name'],
    ['methods.oauth2.revokeRequest.basic', undefined]
  ],
  slack: [
    ['api.refusals', undefined],
    ['methods.oauth2.scopeParameter', undefined],
    ['methods.oauth2.tokenResponse.accessToken', undefined],
    ['methods.oauth2.tokenResponse.refreshToken', undefined],
    ['methods.oauth2.tokenResponse.expiresIn', undefined],
    ['methods.oauth2.refreshResponse', undefined]
  ],
  shopify: [
    ['parameters.shop.suffix', '.shopify.com'],
    ['methods.oauth2.tokenUrl', 'https://{shop}.myshopify.com/oauth/token'],
    ['methods.oauth2.placements', undefined]
  ],
  salesforce: [
    ['methods.oauth2.values.instance_url.pointer', '/instance'],
    ['api.baseUrl', 'https://login.salesforce.com']
  ],
  quickbooks: [
    ['methods.oauth2.values.realm_id.parameter', 'realm_id'],
    ['methods.oauth2.account.from', 'token']
  ],
  jira: [
    ['methods.oauth2.lookup.choose.id', '/uuid'],
    ['methods.oauth2.lookup.url', 'https://api.atlassian.com/resources'],
    ['methods.oauth2.refreshUrl', 'https://auth.atlassian.com/oauth/refresh']
  ],
  square: [['methods.oauth2.tokenResponse.expiresAt', '/expires']],
  calendly: [['methods.oauth2.revokeRequest.url', 'https://auth.calendly.com/revoke']],
  instagram: [
    ['methods.oauth2.refreshRequest.params', undefined],
    ['methods.oauth2.upgradeRequest', undefined]
  ],
  asana: [['methods.oauth2.revokeUrl', 'https://app.asana.com/revoke']],
  zendesk: [
    ['methods.apiKey.placements.0.username', '{email}'],
    ['methods.apiKey.fields.email', undefined]
  ],
  paypal: [
    ['methods.apiKey.tokenRequest.format', 'json'],
    ['methods.apiKey.tokenRequest.basic', undefined]
  ],
  outgrow: [['methods.apiKey.placements', [{ in: 'query', name: 'key' }]]],
  trello: [['methods.apiKey.placements.0', { in: 'query', name: 'key_token' }]],
  mailchimp: [['methods.apiKey.values.dc.pattern', '([a-z0-9]+)-.*']]
}

const shown = (value: unknown): string => (value === undefined ? 'left out' : `= ${JSON.stringify(value)}`)

const definitions = await loadProviders(undefined, name => Object.hasOwn(wrong, name))

/** Each under a name of its own, so that one gateway and one sandbox do for all. */
const cases = definitions.flatMap(definition =>
  (wrong[definition.name] ?? []).map(([field, value], index) => {
    const method = field.startsWith('methods.apiKey.') ? ('apiKey' as const) : ('oauth2' as const)
    const { [method]: own } = definition.methods
    const right = copyOf({ ...definition, name: `${definition.name}-${index}`, methods: own ? { [method]: own } : definition.methods })
    return { title: `${definition.name}: ${field} ${shown(value)}`, method, right, changed: withField(right, field, value) }
  })
)

function copyOf({ name, title, description, color, parameters, api, methods, sources }: Provider): Provider {
  return structuredClone({ name, title, description, color, ...(parameters && { parameters }), api, methods, sources })
}

function withField(definition: Provider, field: string, value: unknown): Provider {
  const copy = structuredClone(definition)
  const steps = field.split('.')
  const last = steps.pop() ?? ''
  let node = copy as unknown as Record<string, unknown>
  for (const step of steps) node = node[step] as Record<string, unknown>
  if (value === undefined) delete node[last]
  else node[last] = value
  return copy
}

t.same(
  Object.keys(wrong).filter(name => !definitions.some(definition => definition.name === name)),
  [],
  'every definition is there'
)

const right = cases.map(one => one.right)
const known = cases.map(({ changed }) => changed)
// Nobody has to wait for a revocation that does not come.
const run = await startContract(t, right, { known, maxWaitMs: 500 })

for (const { title, method, right } of cases)
  await t.test(`a wrong field fails the suite: ${title}`, async t => {
    let problem: string | undefined
    for await (const result of run(right, method)) problem ??= result.problem
    t.ok(problem, problem ?? 'nothing failed')
  })
