import { didYouMean } from '../util/nearest-name.ts'
import type { Provider } from './definition.ts'
import { mapRequestTemplates, mapTemplates, type TemplateChanges } from './map-templates.ts'
import type { LearntValue, LearntValues, Parameters } from './parameter.ts'
import { requestVariables } from './request-variables.ts'
import type { Report } from './rules.ts'
import { positionsIn, variablesIn } from './template.ts'

/** What a value may be in a host: one label, the whole of it, or nothing, because it is a credential. */
type Kind = 'label' | 'host' | 'secret'
/** What a template may name. */
type Scope = ReadonlyMap<string, Kind>

const credentials = {
  oauth2: { access_token: 'secret', refresh_token: 'secret', client_secret: 'secret' },
  apiKey: { access_token: 'secret', key: 'secret' }
} as const

/** What templates name by themselves. The id of a user's own client may be a field: the operator has none then. */
const isReserved = (name: string): boolean =>
  name !== 'client_id' && (Object.hasOwn(credentials.oauth2, name) || Object.hasOwn(credentials.apiKey, name))

/**
 * Checks what templates name: each is known where it is used, and no host is made of a value that could be anything. What becomes a part of the
 * API's base must be known to both methods.
 */
export function checkTemplates(definition: Provider, report: Report): void {
  const { parameters = {}, methods } = definition
  const shared = { ...kindsOf(parameters), client_id: 'label' } as const
  for (const name of ['oauth2', 'apiKey'] as const) {
    const method = methods[name]
    if (!method) continue
    const field = `methods.${name}`
    const fields = 'fields' in method ? (method.fields ?? {}) : {}
    const { values = {} } = method
    for (const [place, names] of Object.entries({ parameters, [`${field}.fields`]: fields, [`${field}.values`]: values }))
      for (const reserved of Object.keys(names))
        if (isReserved(reserved) && !(reserved === 'key' && place === `${field}.fields`))
          report(`${place}.${reserved}`, 'has the name of a credential')
    for (const other of Object.keys(values)) if (Object.hasOwn(fields, other)) report(`${field}.values.${other}`, 'has the name of a field')
    for (const other of Object.keys({ ...fields, ...values }))
      if (Object.hasOwn(parameters, other))
        report(`${field}.${Object.hasOwn(fields, other) ? 'fields' : 'values'}.${other}`, 'has the name of a parameter')
    const check = (where: string, ...kinds: Array<Readonly<Record<string, Kind>>>) =>
      createCheck(where, new Map(kinds.flatMap(kind => Object.entries(kind))), report)
    const known = { ...shared, ...kindsOf(fields), ...kindsOfValues(values) }
    // The other method has values of its own.
    mapTemplates({ ...definition, methods: {} }, check('api', known))
    mapTemplates({ ...definition, api: { baseUrl: '' }, methods: { [name]: method } }, check(field, known))
    mapRequestTemplates({ ...definition, methods: { [name]: method } }, check(field, known, credentials[name]))
    const { lookup } = method
    const learntLater = learntFrom(values, 'lookup')
    for (const one of lookup ? variablesIn(lookup.url ?? definition.api.baseUrl + lookup.path) : [])
      if (learntLater.includes(one)) report(`${field}.lookup`, `uses {${one}}, which is not known before the look-up.`)
  }
  const { authorizeUrl = '', authorizeParams = {}, tokenUrl = '', tokenHeaders = {}, tokenParams = {}, values = {} } = methods.oauth2 ?? {}
  for (const template of [authorizeUrl, ...Object.values(authorizeParams)])
    reportUnknown(template, Object.keys(shared), 'methods.oauth2', 'is not known before the sign-in', report)
  const unknownYet = 'is not known before the token response'
  const ofExchange = { tokenUrl: [tokenUrl], tokenHeaders: Object.values(tokenHeaders), tokenParams: Object.values(tokenParams) }
  const knownByCallback = [...Object.keys(shared), ...learntFrom(values, 'callback')]
  for (const [field, templates] of Object.entries(ofExchange))
    for (const template of templates) reportUnknown(template, knownByCallback, `methods.oauth2.${field}`, unknownYet, report)
  const { fields, values: ofKey = {}, tokenRequest } = methods.apiKey ?? {}
  const known = ['key', ...Object.keys({ ...shared, ...fields }), ...learntFrom(ofKey, 'key')]
  for (const name of tokenRequest ? requestVariables(tokenRequest) : [])
    reportUnknown(`{${name}}`, known, 'methods.apiKey.tokenRequest', unknownYet, report)
}

const learntFrom = (learnt: LearntValues, from: LearntValue['from']): string[] =>
  Object.keys(learnt).filter(name => learnt[name]?.from === from)

const kindsOf = (parameters: Parameters): Record<string, Kind> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, { isHost, oneOf, secret }]) => [name, secret ? 'secret' : isHost || oneOf ? 'host' : 'label'])
  )

const kindsOfValues = (values: LearntValues): Record<string, Kind> =>
  Object.fromEntries(
    Object.entries(values).map(([name, { suffix, oneOf, secret }]) => [
      name,
      secret ? 'secret' : suffix !== undefined || oneOf ? 'host' : 'label'
    ])
  )

function createCheck(field: string, scope: Scope, report: Report): TemplateChanges {
  const names = (template: string) => {
    reportUnknown(template, [...scope.keys()], field, 'is neither a parameter nor a value of this method', report)
    return template
  }
  const url = (template: string) => {
    for (const name of positionsIn(template).host) {
      const kind = scope.get(name)
      // What follows the last expression keeps the host at the vendor: two labels at least.
      const isKept = /^https:\/\/[^/?#]*\}(?:-[a-z0-9-]+)?(?:\.[a-z0-9-]+){2,}(?=[/?#]|$)/.test(template)
      if (kind === 'secret' || (kind === 'label' && !isKept))
        report(field, `makes a host of {${name}}, which could be any: it needs a suffix, a list of values, or isHost`)
    }
    return names(template)
  }
  return { url, path: names, header: names, text: names }
}

function reportUnknown(template: string, known: readonly string[], field: string, problem: string, report: Report): void {
  for (const name of variablesIn(template))
    if (!known.includes(name)) report(field, `uses {${name}}, which ${problem}.${didYouMean(name, known)}`)
}
