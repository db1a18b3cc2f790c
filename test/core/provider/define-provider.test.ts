import t from 'tap'
import { DefinitionError, defineProvider } from '../../../src/core/provider/define-provider.ts'
import type { OAuth2Method, Provider, TokenRefusal } from '../../../src/core/provider/definition.ts'
import { apiKeyWith, oauth2With, providerWith } from '../support.ts'

/** The message of the TypeError that `call` throws. */
function messageOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
  return 'nothing was thrown'
}

const badUrls = [
  'http://acme.example/x',
  'ftp://acme.example/x',
  'acme.example',
  '/x',
  '',
  'https://user@acme.example/x',
  'https://user:password@acme.example/x',
  'https://acme.example/x#y',
  'https://acme.example/x/',
  'https://acme.example/{',
  'https://'
]
/** An endpoint may end with a slash. */
const badEndpoints = badUrls.filter(url => !url.endsWith('/x/'))

const refusalWith = (parts: Partial<TokenRefusal>): Partial<Provider> => ({
  methods: { oauth2: oauth2With({ refusals: [{ pointer: '/error', oneOf: ['no'], means: 'invalid_grant', ...parts }] }) }
})

/** A definition whose account is found by OAuth, or by a key. */
const accountOf = (account: object): Partial<Provider> => ({
  methods: { oauth2: oauth2With({ account: account as OAuth2Method['account'] & object }) }
})
const keyAccountOf = (account: object): Partial<Provider> => ({
  methods: { apiKey: { ...apiKeyWith({ in: 'basic' }), account: account as { from: 'check' } } }
})

const rejected: Record<string, readonly [field: string, Partial<Provider>[]]> = {
  'a name that is not lower-case words joined by dashes': [
    'name',
    ['', 'Acme', 'acme_inc', 'acme inc', '-acme', 'acme-', 'acme--inc', '1acme', 'acme/..', 'äcme', 'acme\n', '__proto__'].map(name => ({
      name
    }))
  ],
  'a color that is not #rrggbb': [
    'color',
    ['', 'red', '#fff', '#12345g', '123456', '#1234567', '#123456\n', 'url(x)'].map(color => ({ color }))
  ],
  'a logo that is not the data of an SVG path': [
    'logo',
    ['', '2 2h20', 'M2 2"/><script>', 'url(x)', '<svg/>', 'M2 2x', `M${'0'.repeat(8192)}`].map(logo => ({ logo }))
  ],
  'words for a scope that are none, or more than one part of a list': [
    'methods.oauth2.scopeTexts.read',
    [{ read: '' }, { read: ' ' }, { read: 'see this, and that' }, { read: 7 as unknown as string }].map(scopeTexts => ({
      methods: { oauth2: oauth2With({ scopeTexts }) }
    }))
  ],
  'a translation without the words for a scope, or with others': [
    'translations.de.oauth2.scopeTexts',
    [undefined, {}, { write: 'ändern' }, { read: 'sehen', write: 'ändern' }].map(scopeTexts => ({
      methods: { oauth2: oauth2With({ scopeTexts: { read: 'see' } }) },
      translations: { de: { description: 'Ambosse', oauth2: { steps: ['Anmelden.'], ...(scopeTexts && { scopeTexts }) } } }
    }))
  ],
  'a translation of words that are not there': [
    'translations.de.oauth2.scopeTexts',
    [{ translations: { de: { description: 'Ambosse', oauth2: { steps: ['Anmelden.'], scopeTexts: { read: 'sehen' } } } } }]
  ],
  'a page for keys that is not on https, or with user': [
    'methods.apiKey.keysUrl',
    ['', '/x', 'acme.example', 'http://acme.example/x', 'javascript:alert(1)', 'https://user@acme.example/x', 'https://'].map(keysUrl => ({
      methods: { apiKey: { ...apiKeyWith({ in: 'basic' }), keysUrl } }
    }))
  ],
  'a translation under a tag that is none': [
    'translations.DE',
    [{ translations: { DE: { description: 'Ambosse', oauth2: { steps: ['Anmelden.'] } } } }]
  ],
  'a translation without a description': [
    'translations.de.description',
    [{ translations: { de: { description: '', oauth2: { steps: ['Anmelden.'] } } } }]
  ],
  'a translation without the help of a method': ['translations.de.oauth2', [{ translations: { de: { description: 'Ambosse' } } }]],
  'a translation of a method that the provider does not have': [
    'translations.de.apiKey',
    [{ translations: { de: { description: 'Ambosse', oauth2: { steps: ['Anmelden.'] }, apiKey: { steps: ['Kopieren.'] } } } }]
  ],
  ...Object.fromEntries(
    ['return_to', 'account', 'login_hint', 'prompt', 'scopes'].map(name => [
      `a parameter named ${name}, which means something else in a query`,
      [`parameters.${name}`, [{ parameters: { [name]: { title: 'Name', example: 'a' } } }]] as const
    ])
  ),
  'a secret that a sign-in would have in its URL': [
    'parameters.token.secret',
    [{ parameters: { token: { title: 'Token', example: 'a', secret: true } } }]
  ],
  'no connect method': ['methods', [{ methods: {} }]],
  'no source': ['sources', [{ sources: [] }]],
  'an API that is not on https, or with user, fragment or trailing slash': ['api.baseUrl', badUrls.map(baseUrl => ({ api: { baseUrl } }))],
  'an invalid base URL for links': [
    'api.linkBases[1]',
    badUrls.map(url => ({ api: { baseUrl: 'https://api.acme.example', linkBases: ['https://old.acme.example', url] } }))
  ],
  'an invalid redirect host': [
    'api.redirectHosts[1]',
    [
      '',
      '*',
      '*.com',
      'https://files.example.com',
      'files.example.com/x',
      'a*.example.com',
      '*.*.example.com',
      'x y',
      'x:',
      'x:y',
      'x\n'
    ].map(host => ({
      api: { baseUrl: 'https://api.acme.example', redirectHosts: ['files.example.com', host] }
    }))
  ],
  'a header of its own in upper case': [
    'api.headers.X-Version',
    [{ api: { baseUrl: 'https://api.acme.example', headers: { 'X-Version': '9' } } }]
  ],
  'a credential header in upper case': [
    'methods.apiKey.placements[0].name',
    [{ methods: { apiKey: apiKeyWith({ in: 'header', name: 'X-Api-Key' }) } }]
  ],
  'a credential check without a path': [
    'methods.oauth2.check.path',
    [{ methods: { oauth2: oauth2With({ check: { path: 'me', status: 200 } }) } }]
  ],
  'a credential check without a final status': [
    'methods.oauth2.check.status',
    [[], 0, 100, 600, 200.5, [200, 99]].map(status => ({ methods: { oauth2: oauth2With({ check: { path: '/me', status } }) } }))
  ],
  ...Object.fromEntries(
    (['maxBodyBytes', 'maxHeaderBytes', 'timeoutMs', 'maxConcurrentRequestsPerSession', 'maxConcurrentRequests'] as const).map(field => [
      `a ${field} that is not a whole number above 0`,
      [
        `api.${field}`,
        [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY].map(value => ({ api: { baseUrl: 'https://api.acme.example', [field]: value } }))
      ]
    ])
  ),
  'a refusal with an invalid pointer': [
    'methods.oauth2.refusals[0].pointer',
    ['error', 'x/y', '/~2'].map(pointer => refusalWith({ pointer }))
  ],
  'a refusal without values': ['methods.oauth2.refusals[0].oneOf', [refusalWith({ oneOf: [] })]],
  'a refusal with an unknown meaning': ['methods.oauth2.refusals[0].means', [refusalWith({ means: 'slow_down' as 'invalid_grant' })]],
  'an account from an unknown document': [
    'methods.oauth2.account.from',
    ['', 'check', 'userinfo', undefined, '__proto__'].map(from => accountOf({ from, id: '/id' }))
  ],
  'a key’s account from an unknown document': [
    'methods.apiKey.account.from',
    ['token', 'id_token'].map(from => keyAccountOf({ from, id: '/id' }))
  ],
  'an account without id and name': [
    'methods.oauth2.account',
    [{}, { name: [] }].map(pointers => accountOf({ from: 'token', ...pointers }))
  ],
  'an account id that is no pointer': ['methods.oauth2.account.id', ['id', '/~2', 7, ['/id']].map(id => accountOf({ from: 'token', id }))],
  'an account name that is no pointer': ['methods.oauth2.account.name', ['name', 7].map(name => accountOf({ from: 'token', name }))],
  'a list of account names with one that is no pointer': [
    'methods.oauth2.account.name[1]',
    ['login', ['/name']].map(name => accountOf({ from: 'token', name: ['/name', name] }))
  ],
  'a path for an account that is not looked up': [
    'methods.oauth2.account.from',
    [{ path: '/me' }, { url: 'https://api.acme.example/me' }].map(target => accountOf({ from: 'token', id: '/id', ...target }))
  ],
  'a look-up with no target, or with two': [
    'methods.oauth2.account',
    [accountOf({ from: 'lookup', id: '/id', path: '/me', url: 'https://api.acme.example/me' })]
  ],
  'a look-up at an invalid path': [
    'methods.oauth2.account.path',
    ['me', '', 'https://api.acme.example/me', '/me#x', '/m e', '/me\r\nx: y', 7].map(path => accountOf({ from: 'lookup', id: '/id', path }))
  ],
  'a look-up at a URL that is not its own': [
    'methods.oauth2.account.url',
    [
      '',
      '/me',
      'http://api.acme.example/me',
      'https://user@api.acme.example/me',
      'https://api.acme.example/me#x',
      'https://api.acme.example.evil.example/me',
      'https://other.example/me',
      'https://api.acme.example:8443/me',
      7
    ].map(url => accountOf({ from: 'lookup', id: '/id', url }))
  ],
  ...Object.fromEntries(
    (['upload', 'download'] as const).map(field => [
      `an idleTimeoutMs.${field} that is not a whole number above 0`,
      [
        `api.idleTimeoutMs.${field}`,
        [0, -1, 1.5].map(value => ({ api: { baseUrl: 'https://api.acme.example', idleTimeoutMs: { [field]: value } } }))
      ]
    ])
  ),
  ...Object.fromEntries(
    (['authorizeUrl', 'tokenUrl', 'refreshUrl', 'revokeUrl'] as const).map(field => [
      `a bad ${field}`,
      [`methods.oauth2.${field}`, badEndpoints.map(url => ({ methods: { oauth2: oauth2With({ [field]: url }) } }))] as const
    ])
  )
}

for (const [mistake, [field, cases]] of Object.entries(rejected)) {
  t.test(`a definition with ${mistake} is rejected by name and field`, async t => {
    for (const parts of cases) {
      const provider = providerWith(parts)
      t.match(
        messageOf(() => defineProvider(provider)),
        new RegExp(
          `^provider ${RegExp.escape(JSON.stringify(provider.name))}: ${RegExp.escape(field)} (?:is (?:missing|empty): it )?must `
        ),
        JSON.stringify(Object.values(parts))
      )
    }
  })
}

t.test('a valid definition is returned with its fields unchanged, and frozen', async t => {
  for (const parts of [
    {},
    { name: 'a' },
    { name: 'process-street-2' },
    { color: '#ABCDEF' },
    {
      parameters: { token: { title: 'Token', example: 'a', secret: true, operator: true } },
      api: { baseUrl: 'https://api.acme.example', headers: { 'x-token': '{token}' } }
    },
    {
      parameters: { token: { title: 'Token', example: 'a', secret: true } },
      api: { baseUrl: 'https://api.acme.example', headers: { 'x-token': '{token}' } },
      methods: {
        apiKey: {
          ...apiKeyWith({ in: 'basic', username: '{account}', password: '{key}' }),
          fields: { account: { title: 'Account', example: 'a' }, key: { title: 'Key', example: 'b' } }
        }
      }
    },
    { translations: { 'pt-br': { description: 'Bigornas', oauth2: { steps: ['Entre.'], plan: 'Pro' } } } },
    { logo: 'M2,2 h20v-20.5e-1 A1 1 0 0 1 4-4.5z' },
    { api: { baseUrl: 'https://api.acme.example' } },
    { api: { baseUrl: 'https://api.acme.example', redirectHosts: ['files.example.com', '*.s3.amazonaws.com', 'files.example.com:8443'] } },
    { methods: { oauth2: oauth2With({ check: { path: '/me', status: [200, 403] } }) } },
    { methods: { apiKey: apiKeyWith({ in: 'basic' }) } },
    refusalWith({ pointer: '/errors/0/a~1b', oneOf: [1, true] }),
    refusalWith({ pointer: '' }),
    accountOf({ from: 'token', id: '/team/id', name: ['/team/name', '/team/domain'] }),
    { methods: { oauth2: oauth2With({ scopes: ['openid'], account: { from: 'id_token', id: '/sub' } }) } },
    accountOf({ from: 'lookup', name: '/name', path: '/me?fields=name' }),
    accountOf({ from: 'lookup', id: '/id', url: 'https://api.acme.example/other/me/' }),
    accountOf({ from: 'lookup', id: '/id', url: 'https://acme.example/userinfo' }),
    keyAccountOf({ from: 'check', id: '/id' }),
    keyAccountOf({ from: 'lookup', id: '/id', path: '/me' }),
    {
      methods: {
        oauth2: oauth2With({ authorizeUrl: 'https://acme.example/authorize?tenant=1', refreshUrl: 'https://acme.example/refresh' })
      }
    }
  ]) {
    const provider = providerWith(parts)
    const definition = defineProvider(provider)
    t.strictSame({ ...definition }, provider)
    t.ok(Object.isFrozen(definition))
  }
})

/** The problems of a definition that no compiler has checked. */
function problemsOf(definition: unknown): readonly string[] {
  try {
    defineProvider(definition as Provider)
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems.map(({ field, requirement }) => `${field} ${requirement}`)
    throw error
  }
  return []
}

/** A complete definition as JSON has it, with one change made by `edit`. */
function edited(edit: (definition: Record<string, Record<string, Record<string, unknown>>>) => void): unknown {
  const definition = JSON.parse(JSON.stringify(providerWith({ methods: { oauth2: oauth2With({}), apiKey: apiKeyWith({ in: 'basic' }) } })))
  edit(definition)
  return definition
}

t.test('what no compiler has checked is named by its field', async t => {
  const mistakes: ReadonlyArray<readonly [problem: RegExp, edit: Parameters<typeof edited>[0]]> = [
    [/^title is missing: it must be text, such as "Acme"$/, definition => delete definition.title],
    [/^title must be text$/, definition => Object.assign(definition, { title: 7 })],
    [/^api is missing: it must be an object with baseUrl, such as \{"baseUrl":"https:.+"\}$/, definition => delete definition.api],
    [/^methods is missing: it must be an object with oauth2, apiKey or both$/, definition => delete definition.methods],
    [/^methods must be an object with oauth2, apiKey or both$/, definition => Object.assign(definition, { methods: {} })],
    [/^sources is missing: it must say .+, such as \[\{"confidence":"vendor"/, definition => delete definition.sources],
    [/^sources\[0\].checked must be a day/, ({ sources }) => Object.assign(sources?.[0] ?? {}, { checked: 'yesterday' })],
    [/^methods.oauth2.tokenUrl is missing: it must be an https URL .+, such as "https:/, ({ methods }) => delete methods?.oauth2?.tokenUrl],
    [
      /^methods.oauth2.help is missing: it must be an object with steps, such as \{"steps":\[/,
      ({ methods }) => delete methods?.oauth2?.help
    ],
    [
      /^methods.apiKey.placements is missing: it must be a list, such as \[\{"in":"header"/,
      ({ methods }) => delete methods?.apiKey?.placements
    ],
    [/^methods.oauth2.scopes must be a list/, ({ methods }) => Object.assign(methods?.oauth2 ?? {}, { scopes: 'a b' })],
    [
      /clientAuthentication must be 'body' or 'basic'/,
      ({ methods }) => Object.assign(methods?.oauth2 ?? {}, { clientAuthentication: 'header' })
    ],
    [/issuer must be text/, ({ methods }) => Object.assign(methods?.oauth2 ?? {}, { issuer: null })],
    [
      /^methods.oauth2.authorizeParams.a must be text$/,
      ({ methods }) => Object.assign(methods?.oauth2 ?? {}, { authorizeParams: { a: 1 } })
    ],
    [
      /^methods.oauth2.authoriseParams is not a field of a definition. Did you mean authorizeParams\?/,
      ({ methods }) => Object.assign(methods?.oauth2 ?? {}, { authoriseParams: {} })
    ],
    [/^constructor is not a field/, definition => Object.assign(definition, { constructor: 1 })],
    [
      /^methods.oauth2.account.ids is not a field of a definition. Did you mean id\?/,
      ({ methods }) => Object.assign(methods?.oauth2 ?? {}, { account: { from: 'token', id: '/id', ids: '/id' } })
    ],
    [
      /^api.rateLimit.unit must be 'seconds' or 'epoch'/,
      ({ api }) => Object.assign(api ?? {}, { rateLimit: { header: 'x', unit: 'second' } })
    ],
    [/^api.methods\[1\] must be 'GET' or/, ({ api }) => Object.assign(api ?? {}, { methods: ['GET', 'get'] })],
    [
      /^methods.apiKey.placements\[0\].in must be 'header'/,
      ({ methods }) => Object.assign(methods?.apiKey ?? {}, { placements: [{ in: 'cookie' }] })
    ],
    [
      /^methods.apiKey.placements\[0\].name is missing: it must be text/,
      ({ methods }) => Object.assign(methods?.apiKey ?? {}, { placements: [{ in: 'query' }] })
    ]
  ]
  for (const [problem, edit] of mistakes) {
    const problems = problemsOf(edited(edit))
    t.equal(problems.length, 1, `${problem}: ${problems}`)
    t.match(problems[0], problem)
  }
  t.strictSame(problemsOf(edited(() => {})), [])
})

t.test('all problems of a definition are named at once', async t => {
  const problems = problemsOf(
    edited(definition => {
      Object.assign(definition, { color: 'red', colour: '#ff0000' })
      delete definition.methods?.oauth2?.tokenUrl
    })
  )
  t.strictSame(
    problems.map(problem => problem.split(' ')[0]),
    ['colour', 'color', 'methods.oauth2.tokenUrl']
  )
  t.match(
    messageOf(() => defineProvider(providerWith({ color: 'red', title: '' }))),
    /^provider "acme" has 2 problems:\n {2}- title is empty: it must be text\n {2}- color must be #rrggbb$/
  )
})

t.test('a misspelled field is one mistake, whatever is missing because of it', async t => {
  const renamed: ReadonlyArray<readonly [path: string, name: string, misspelled: string]> = [
    ['', 'methods', 'method'],
    ['api', 'baseUrl', 'baseURL'],
    ['methods', 'oauth2', 'oauth'],
    ['methods.oauth2', 'authorizeUrl', 'authorizUrl'],
    ['methods.oauth2', 'tokenUrl', 'tokenUri'],
    ['methods.oauth2', 'clientAuthentication', 'clientAutentication'],
    ['methods.oauth2.account', 'id', 'idd'],
    ['methods.oauth2.lookup', 'url', 'urls'],
    ['methods.oauth2.help', 'steps', 'step'],
    ['methods.apiKey.placements.0', 'name', 'nam'],
    ['methods.apiKey.check', 'path', 'paths']
  ]
  const whole = providerWith({
    methods: {
      oauth2: oauth2With({
        lookup: { url: 'https://acme.example/me' },
        account: { from: 'lookup', id: '/id' }
      }),
      apiKey: apiKeyWith({ in: 'header', name: 'x-key' })
    }
  })
  for (const [path, name, misspelled] of renamed) {
    const definition = JSON.parse(JSON.stringify(whole))
    let part = definition
    for (const step of path.split('.').filter(step => step !== '')) part = part[step]
    part[misspelled] = part[name]
    delete part[name]
    const field = `${path === '' ? '' : `${path.replace('.0', '[0]')}.`}${misspelled}`
    t.strictSame(problemsOf(definition), [`${field} is not a field of a definition. Did you mean ${name}?`])
  }
  t.strictSame(problemsOf(whole), [])
})

t.test('an example that does not match its pattern is shown with it', async t => {
  const example = (pattern: string) =>
    problemsOf(
      providerWith({
        parameters: { shop: { title: 'Shop', example: 'My Shop', pattern } },
        api: { baseUrl: 'https://{shop}.acme.com' }
      })
    )
  t.strictSame(example('[a-z]+'), ['parameters.shop.example must match the pattern: "My Shop" is not [a-z]+'])
})

t.test('a pattern that only another flag allows is told from one that is none', async t => {
  const withPattern = (pattern: string) =>
    problemsOf(
      providerWith({
        parameters: { shop: { title: 'Shop', example: 'my-shop', pattern } },
        api: { baseUrl: 'https://{shop}.acme.com' }
      })
    )
  t.match(withPattern('[a-z0-9_.-]+'), [/^parameters.shop.pattern must .+ flag v .+ with a backslash inside of \[ \]: \[a-z0-9_\.\\-\]\+$/])
  t.match(withPattern('['), [/^parameters.shop.pattern must be a regular expression .+, such as/])
})

t.test('whatever is no definition is a problem, and never another error', async t => {
  for (const value of [null, undefined, 7, 'acme', [], {}, { api: null, methods: { oauth2: 1, apiKey: [] }, sources: [null] }])
    t.ok(problemsOf(value).length > 0, JSON.stringify(value))
})

t.test('a definition that is defined already may be defined again', async t => {
  const account = { from: 'lookup', id: '/id', url: 'https://api.acme.example/me' }
  t.equal(defineProvider(defineProvider(providerWith(accountOf(account)))).name, 'acme')
})
