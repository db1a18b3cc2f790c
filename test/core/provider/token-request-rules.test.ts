import t from 'tap'
import { DefinitionError, defineProvider } from '../../../src/core/provider/define-provider.ts'
import type { ApiKeyMethod } from '../../../src/core/provider/definition.ts'
import { apiKeyWith, oauth2With, providerWith } from '../support.ts'

const key = { title: 'Secret', example: 's-1', secret: true }
const tokenRequest = {
  url: 'https://acme.example/token',
  params: { grant_type: 'client_credentials' },
  basic: { username: '{user}', password: '{key}' }
}
const exchanged: Partial<ApiKeyMethod> = {
  fields: { user: { title: 'Client', example: 'c-1' }, key },
  tokenRequest,
  revokeRequest: {
    url: 'https://acme.example/revoke',
    params: { token: '{access_token}' },
    basic: { username: '{user}', password: '{key}' }
  },
  values: { region: { from: 'token', pointer: '/region', oneOf: ['eu', 'us'], example: 'eu' } }
}

/** The problems of a definition whose keys are exchanged, with this change. */
function problemsOf(change: Partial<ApiKeyMethod>): readonly string[] {
  const apiKey: ApiKeyMethod = { ...apiKeyWith({ in: 'header', name: 'authorization', prefix: 'Bearer ' }), ...exchanged, ...change }
  try {
    defineProvider(providerWith({ methods: { apiKey } }))
    return []
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems.map(({ field, requirement }) => `${field} ${requirement}`)
    throw error
  }
}

t.test('a definition may say how a key is exchanged, and how its token is revoked', async t => {
  t.strictSame(problemsOf({}), [])
})

t.test('a revocation, and values of a token response, need a request for a token', async t => {
  const { tokenRequest: _, ...without } = exchanged
  const apiKey = { ...apiKeyWith({ in: 'basic' }), ...without }
  t.throws(() => defineProvider(providerWith({ methods: { apiKey } })), /revokeRequest must be left out without a tokenRequest/)
  t.throws(() => defineProvider(providerWith({ methods: { apiKey } })), /values.region.from must not be 'token' without a tokenRequest/)
})

t.test('the exchange of a code names nothing that only its response tells', async t => {
  for (const [field, method] of [
    ['tokenUrl', { tokenUrl: 'https://{team}.acme.com/token' }],
    ['tokenHeaders', { tokenHeaders: { 'x-team': '{team}' } }],
    ['tokenParams', { tokenParams: { team: '{team}' } }]
  ] as const) {
    const oauth2 = oauth2With({ ...method, values: { team: { from: 'token', pointer: '/team', pattern: '[a-z]+', example: 'one' } } })
    const known = oauth2With({ ...method, values: { team: { from: 'callback', parameter: 'team', pattern: '[a-z]+', example: 'one' } } })
    t.throws(
      () => defineProvider(providerWith({ methods: { oauth2 } })),
      new RegExp(`methods\\.oauth2\\.${field}(?:\\.[a-z-]+)? uses {team}, which is not known before`),
      field
    )
    t.doesNotThrow(() => defineProvider(providerWith({ methods: { oauth2: known } })), field)
  }
})

t.test('the request for a token names nothing that only its response tells', async t => {
  for (const name of ['region', 'access_token'])
    t.match(problemsOf({ tokenRequest: { ...tokenRequest, params: { a: `{${name}}` } } }), [
      `methods.apiKey.tokenRequest.params.a uses {${name}}, which is not known before the token response.`
    ])
})
