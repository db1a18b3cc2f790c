import { resolvePointer } from '../util/json-pointer.ts'
import { accountRule } from './account-rule.ts'
import {
  type ApiKeyMethod,
  type CredentialCheck,
  httpMethods,
  type OAuth2Method,
  type Placement,
  type Provider,
  type ProviderTexts,
  type RateLimit,
  type TokenRefusal,
  type TokenResponseShape
} from './definition.ts'
import {
  anyText,
  anything,
  byField,
  called,
  flag,
  isObject,
  list,
  matching,
  must,
  object,
  oneOf,
  positiveInteger,
  type Report,
  type Rule,
  text,
  texts,
  textsByName
} from './rules.ts'

/** A host name with an optional port; `*.` only before two or more labels, since a wildcard of a whole top-level domain is a mistake. */
const host = matching(
  /^(\*\.[a-z0-9-]+\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/i,
  'must be a host such as files.example.com or *.files.example.com'
)
const pointer = matching(/^(\/([^~]|~[01])*)*$/, 'must be a JSON Pointer, such as /error')
const path = matching(/^\//, 'must begin with a slash')
const url = must('must be an https URL without user, fragment or trailing slash', isPlainHttps)
const pageUrl = must('must be an https URL without user', isHttps)

/** The badge is part of every page that names the provider. */
const maxLogoCharacters = 8192
/** The letters of SVG 2 §9.3.9, beginning with a move. Nothing in it could end the attribute. */
const isPathData = (value: unknown) =>
  typeof value === 'string' && /^[Mm][\d\s,.eE+\-MmZzLlHhVvCcSsQqTtAa]*$/.test(value) && value.length <= maxLogoCharacters
const logo = must(`must be the data of an SVG path, such as M2 2h20v20H2z, of at most ${maxLogoCharacters} characters`, isPathData)

/** Header names in lower case, as `node:http` has them. */
const isHeaderName = (name: unknown) => typeof name === 'string' && /^[a-z0-9-]+$/.test(name)
const headerName: Rule = (value, field, report) => {
  if (!isHeaderName(value)) report(typeof value === 'string' ? `header ${JSON.stringify(value)}` : field, 'must be in lower case')
}
const headers: Rule = (value, field, report) => {
  textsByName(value, field, report)
  if (isObject(value)) for (const name of Object.keys(value)) headerName(name, field, report)
}

type PlacementIn<Place extends Placement['in']> = Extract<Placement, { readonly in: Place }>
const placement = byField('in', {
  header: object<PlacementIn<'header'>>({ required: { in: anything, name: headerName }, optional: { prefix: anyText } }),
  query: object<PlacementIn<'query'>>({ required: { in: anything, name: text }, optional: {} }),
  path: object<PlacementIn<'path'>>({ required: { in: anything, after: path }, optional: {} }),
  basic: object<PlacementIn<'basic'>>({ required: { in: anything }, optional: {} })
})

const isFinalStatus = (status: unknown) => Number.isInteger(status) && Number(status) >= 200 && Number(status) < 600
const check = object<CredentialCheck>({
  required: {
    path,
    status: must('must be a final HTTP status, or a list of them', value => {
      const statuses = [value].flat()
      return statuses.length > 0 && statuses.every(isFinalStatus)
    })
  },
  optional: {
    expect: object<NonNullable<CredentialCheck['expect']>>({ required: { pointer, equals: anything }, optional: {} })
  }
})

const help = object<ApiKeyMethod['help']>({ required: { steps: texts }, optional: { plan: text } })

/** Pages list them with commas between. */
const scopeTexts = must(
  'must be an object of texts without commas',
  value => isObject(value) && Object.values(value).every(words => typeof words === 'string' && /^[^,]*[^,\s][^,]*$/.test(words))
)
const translatedOAuth2 = object<NonNullable<ProviderTexts['oauth2']>>({ required: { steps: texts }, optional: { plan: text, scopeTexts } })

const translation = object<ProviderTexts>({ required: { description: text }, optional: { oauth2: translatedOAuth2, apiKey: help } })
const translations: Rule = (value, field, report) => {
  if (!isObject(value)) return report(field, 'must be an object of languages')
  for (const [language, texts] of Object.entries(value)) {
    if (!/^[a-z]{2,8}(-[a-z\d]{1,8})*$/.test(language))
      report(`${field}.${language}`, 'must be named by a language tag in lower case, such as de')
    translation(texts, `${field}.${language}`, report)
  }
}

const api = object<Provider['api']>({
  required: { baseUrl: url },
  optional: {
    linkBases: list(url),
    redirectHosts: list(host),
    headers,
    methods: list(oneOf(...httpMethods)),
    methodOverride: flag,
    paths: list(path),
    maxBodyBytes: positiveInteger,
    maxHeaderBytes: positiveInteger,
    timeoutMs: positiveInteger,
    idleTimeoutMs: object<NonNullable<Provider['api']['idleTimeoutMs']>>({
      required: {},
      optional: { upload: positiveInteger, download: positiveInteger }
    }),
    maxConcurrentRequestsPerSession: positiveInteger,
    maxConcurrentRequests: positiveInteger,
    rateLimit: object<RateLimit>({ required: { header: headerName, unit: oneOf('seconds', 'epoch') }, optional: {} })
  }
})

const refusal = object<TokenRefusal>({
  required: {
    pointer,
    oneOf: list(anything, 'must list the values that mean a refusal', 1),
    means: matching(/^(invalid_grant|invalid_client)$/, 'must be invalid_grant or invalid_client')
  },
  optional: {}
})

const tokenResponse = object<TokenResponseShape>({
  required: {},
  optional: {
    accessToken: pointer,
    refreshToken: pointer,
    expiresIn: pointer,
    scope: pointer,
    tokenType: anyText,
    defaultExpiresIn: must('must be a number of seconds above 0', value => Number.isFinite(value) && Number(value) > 0)
  }
})

/** @param origins the origins that see a credential of this provider in any case */
const oauth2 = (origins: readonly string[]) =>
  object<OAuth2Method>({
    required: {
      authorizeUrl: called('authorizeUrl', url),
      tokenUrl: called('tokenUrl', url),
      scopes: texts,
      clientAuthentication: oneOf('body', 'basic'),
      help
    },
    optional: {
      refreshUrl: called('refreshUrl', url),
      revokeUrl: called('revokeUrl', url),
      revocation: called('revocation', oneOf('token', 'grant')),
      issuer: text,
      scopeSeparator: anyText,
      scopeTexts,
      tokenRequestFormat: oneOf('form', 'json'),
      authorizeParams: textsByName,
      tokenParams: textsByName,
      refreshParams: textsByName,
      tokenResponse,
      account: accountRule(['token', 'id_token', 'lookup'], origins),
      refusals: called('refusals', list(refusal)),
      placements: list(placement),
      check
    }
  })

const apiKey = (origins: readonly string[]) =>
  object<ApiKeyMethod>({
    required: { placements: list(placement), check, help },
    optional: { keysUrl: pageUrl, account: accountRule(['check', 'lookup'], origins) }
  })

const source = object<Provider['sources'][number]>({
  required: {
    confidence: oneOf('vendor', 'clients', 'guide'),
    facts: text,
    from: text,
    checked: matching(/^\d{4}-\d{2}-\d{2}$/, 'must be a day, such as 2026-11-21')
  },
  optional: {}
})

/** @param origins those of the provider's API and token endpoint, which see its credentials in any case */
export const definitionRule = (origins: readonly string[]): Rule => {
  const methods = object<Provider['methods']>({ required: {}, optional: { oauth2: oauth2(origins), apiKey: apiKey(origins) } })
  const definition = object<Provider>({
    required: {
      name: matching(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be lower-case words joined by "-"'),
      title: text,
      description: text,
      color: matching(/^#[0-9a-f]{6}$/i, 'must be #rrggbb'),
      api,
      methods: (value, field, report) => {
        methods(value, field, report)
        if (isObject(value) && !value.oauth2 && !value.apiKey) report(field, 'must offer oauth2, apiKey or both')
      },
      sources: list(source, 'must say where the facts come from', 1)
    },
    optional: { logo, translations }
  })
  return (value, field, report) => {
    definition(value, field, report)
    if (!isObject(value)) return
    checkTranslatedMethods(value, report)
    checkTranslatedScopes(value, report)
  }
}

/** A page is in one language: a translation has the help of each method, as the definition has. */
function checkTranslatedMethods({ methods, translations = {} }: Readonly<Record<string, unknown>>, report: Report): void {
  if (!isObject(methods) || !isObject(translations)) return
  for (const [language, texts] of Object.entries(translations))
    for (const method of ['oauth2', 'apiKey'].filter(method => isObject(texts) && !methods[method] !== !texts[method]))
      report(
        `translations.${language}.${method}`,
        methods[method] ? 'must be there: the provider has this method' : 'must be left out: the provider does not have this method'
      )
}

/** As above: a translation has words for the scopes for which the definition has some. */
function checkTranslatedScopes(definition: Readonly<Record<string, unknown>>, report: Report): void {
  const scopesAt = (pointer: string) =>
    Object.keys(Object(resolvePointer(definition, pointer)))
      .sort()
      .join(', ')
  const scopes = scopesAt('/methods/oauth2/scopeTexts')
  for (const language of Object.keys(Object(definition.translations)))
    if (scopesAt(`/translations/${language}/oauth2/scopeTexts`) !== scopes)
      report(`translations.${language}.oauth2.scopeTexts`, `must have words for the same scopes as the method: ${scopes || 'none'}`)
}

/** What a browser opens: a part of a page may be meant. */
function isHttps(value: unknown): value is string {
  const parsed = typeof value === 'string' ? URL.parse(value) : null
  return parsed?.protocol === 'https:' && parsed.username === ''
}

function isPlainHttps(value: unknown): boolean {
  return isHttps(value) && !value.endsWith('/') && new URL(value).hash === ''
}
