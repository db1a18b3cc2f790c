import { resolvePointer } from '../util/json-pointer.ts'
import { type ApiBase, type ApiRefusal, httpMethods, type Provider, type ProviderTexts, type RateLimit } from './definition.ts'
import { apiKey, help, oauth2, scopeTexts } from './method-rules.ts'
import { parameters } from './parameter-rules.ts'
import { checkUse } from './parameter-use.ts'
import { placement } from './request-rules.ts'
import {
  anything,
  both,
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
  record,
  rule,
  such,
  text,
  texts,
  textsByName
} from './rules.ts'
import { checkTemplates } from './template-rules.ts'
import { baseUrl, headerName, headers, host, pageUrl, path, pointer } from './text-rules.ts'

/** The badge is part of every page that names the provider. */
const maxLogoCharacters = 8192
/** The letters of SVG 2 §9.3.9, beginning with a move. Nothing in it could end the attribute. */
const pathData = /^[Mm][\d\s,.eE+\-MmZzLlHhVvCcSsQqTtAa]*$/
const logo = must(
  `must be the data of an SVG path, such as M2 2h20v20H2z, of at most ${maxLogoCharacters} characters`,
  value => typeof value === 'string' && pathData.test(value) && value.length <= maxLogoCharacters,
  { type: 'string', pattern: pathData.source, maxLength: maxLogoCharacters }
)

const translatedOAuth2 = object<NonNullable<ProviderTexts['oauth2']>>({ required: { steps: texts }, optional: { plan: text, scopeTexts } })
const translation = object<ProviderTexts>({ required: { description: text }, optional: { oauth2: translatedOAuth2, apiKey: help } })
const translations: Rule = record(translation, /^[a-z]{2,8}(-[a-z\d]{1,8})*$/, 'must be named by a language tag in lower case, such as de')

const otherBase = object<Exclude<ApiBase, string>>({ required: { url: baseUrl }, optional: { placements: list(placement) } })
const apiBase: Rule = rule({ anyOf: [baseUrl.schema, otherBase.schema] }, (value, field, report) =>
  (isObject(value) ? otherBase : baseUrl)(value, field, report)
)

const refusal = object<ApiRefusal>({
  required: { pointer, oneOf: list(anything, 'must list the values that mean a refusal', 1) },
  optional: { statuses: list(positiveInteger) }
})

const api = object<Provider['api']>({
  required: { baseUrl: such(baseUrl, 'https://api.example.com/v1') },
  optional: {
    bases: record(apiBase, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be named by lower-case words joined by "-"'),
    linkBases: list(baseUrl),
    redirectHosts: list(host),
    headers,
    query: textsByName,
    refusals: list(refusal),
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

const exampleSource = { confidence: 'vendor', facts: 'all', from: 'https://docs.example.com', checked: '2026-11-21' }
const source = object<Provider['sources'][number]>({
  required: {
    confidence: oneOf('vendor', 'clients', 'guide'),
    facts: text,
    from: text,
    checked: matching(/^\d{4}-\d{2}-\d{2}$/, 'must be a day, such as 2026-11-21')
  },
  optional: {}
})

const offer = 'must be an object with oauth2, apiKey or both'

/** @param origins those of the provider's API and token endpoint, which see its credentials in any case */
export const definitionRule = (origins: readonly string[]): Rule => {
  const methods = object<Provider['methods']>({ required: {}, optional: { oauth2: oauth2(origins), apiKey: apiKey(origins) } })
  const definition = object<Provider>({
    required: {
      name: such(matching(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be lower-case words joined by "-"'), 'acme'),
      title: such(text, 'Acme'),
      description: such(text, 'Orders and customers'),
      color: such(matching(/^#[0-9a-fA-F]{6}$/, 'must be #rrggbb'), '#0a7d55'),
      api: such(api, { baseUrl: 'https://api.example.com/v1' }),
      methods: both(
        rule({ ...methods.schema, minProperties: 1 }, (value, field, report) =>
          isObject(value) ? methods(value, field, report) : report(field, offer)
        ),
        ({ oauth2, apiKey }, field, report) => {
          if (!oauth2 && !apiKey) report(field, offer)
        }
      ),
      sources: such(list(source, 'must say where the facts come from', 1), [exampleSource])
    },
    optional: { logo, docsUrl: pageUrl, parameters, translations }
  })
  return rule(definition.schema, (value, field, report) => {
    let isSound = true
    definition(value, field, (where, requirement) => {
      isSound = false
      report(where, requirement)
    })
    // What follows is about fields that are there and have their types.
    if (!isObject(value) || !isSound) return
    const note = (where: string, requirement: string) => {
      isSound = false
      report(where, requirement)
    }
    checkTranslatedMethods(value, note)
    checkSecretParameters(value, note)
    checkTranslatedScopes(value, note)
    checkTemplates(value as Provider, note)
    // A misspelled expression leaves its parameter unused.
    if (isSound) checkUse(value as Provider, report)
  })
}

/** A sign-in begins with a URL, which browsers and servers keep. */
function checkSecretParameters({ methods, parameters }: Readonly<Record<string, unknown>>, report: Report): void {
  if (!isObject(methods) || !methods.oauth2) return
  for (const [name, parameter] of Object.entries(Object(parameters)))
    if (isObject(parameter) && parameter.secret === true && parameter.operator !== true)
      report(`parameters.${name}.secret`, 'must be left out where users sign in, unless the operator sets it: it would be part of a URL')
}

/** A page is in one language: a translation has the help of each method, as the definition has. */
function checkTranslatedMethods({ methods, translations = {} }: Readonly<Record<string, unknown>>, report: Report): void {
  if (!isObject(methods) || !isObject(translations)) return
  for (const [language, texts] of Object.entries(translations))
    for (const method of ['oauth2', 'apiKey'].filter(method => isObject(texts) && !methods[method] !== !texts[method]))
      report(
        `translations.${language}.${method}`,
        methods[method]
          ? 'is missing: it must be there, since the provider has this method'
          : 'must be left out: the provider does not have this method'
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
