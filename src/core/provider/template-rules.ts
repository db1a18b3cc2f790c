import { didYouMean } from '../util/nearest-name.ts'
import type { Provider } from './definition.ts'
import { mapRequestTemplates, mapTemplates, type TemplateChanges } from './map-templates.ts'
import { markTemplates } from './marked-templates.ts'
import type { LearntValue, LearntValues, Parameters } from './parameter.ts'
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
  const { marked, templates } = markTemplates(definition)
  const shared = { ...kindsOf(parameters), client_id: 'label' } as const
  const problems = createNameProblems(report)
  const offered = (['oauth2', 'apiKey'] as const).filter(name => methods[name])
  const unknown = new Map<string, Unknown>()
  for (const name of offered) {
    const values = methods[name]?.values ?? {}
    const fields = (name === 'apiKey' && methods[name]?.fields) || {}
    checkNames(`methods.${name}`, { parameters, fields, values }, report)
    const check = (...kinds: Array<Readonly<Record<string, Kind>>>) => {
      const scope = new Map(kinds.flatMap(kind => Object.entries(kind)))
      return createCheck(templates, scope, report, (field, variable) => {
        const key = `${field} ${variable}`
        unknown.set(key, { field, variable, known: [...scope.keys()], lacking: [...(unknown.get(key)?.lacking ?? []), name] })
      })
    }
    const known = { ...shared, ...kindsOf(fields), ...kindsOfValues(values) }
    // The other method has values of its own.
    const own = { ...marked, methods: { [name]: marked.methods[name] } }
    mapTemplates(own, check(known))
    mapRequestTemplates(own, check(known, credentials[name]))
  }
  for (const { field, variable, known, lacking } of unknown.values())
    problems.add(field, variable, known, unknownTo(field, lacking, offered.length))
  for (const { fields, known, problem } of requestsBefore(definition, Object.keys(shared)))
    for (const [field, template] of templates)
      if (fields.some(one => field === one || field.startsWith(`${one}.`)))
        for (const variable of variablesIn(template)) if (!known.includes(variable)) problems.add(field, variable, known, problem)
  for (const name of offered) checkLookup(definition, name, problems)
}

/** What a template names and nothing tells. */
type Unknown = { readonly field: string; readonly variable: string; readonly known: readonly string[]; readonly lacking: readonly string[] }

function unknownTo(field: string, lacking: readonly string[], methods: number): string {
  if (field.startsWith('methods.')) return 'is neither a parameter nor a value of this method'
  return lacking.length === methods
    ? 'is neither a parameter nor a value of a method'
    : `is neither a parameter nor a value of methods.${lacking[0]}, whose requests have it too`
}

type NameProblems = { add(field: string, variable: string, known: readonly string[], problem: string): void }

/** A name that is not known at all is one mistake, whatever else it would come too late for. */
function createNameProblems(report: Report): NameProblems {
  const noted = new Set<string>()
  return {
    add(field, variable, known, problem) {
      if (noted.has(`${field} ${variable}`)) return
      noted.add(`${field} ${variable}`)
      report(field, `uses {${variable}}, which ${problem}.${didYouMean(variable, known)}`)
    }
  }
}

type NamesOfMethod = { readonly parameters: Parameters; readonly fields: Parameters; readonly values: LearntValues }

/** No two names are one, and none is a credential's. */
function checkNames(method: string, { parameters, fields, values }: NamesOfMethod, report: Report): void {
  for (const [place, names] of Object.entries({ parameters, [`${method}.fields`]: fields, [`${method}.values`]: values }))
    for (const name of Object.keys(names))
      if (isReserved(name) && !(name === 'key' && place === `${method}.fields`)) report(`${place}.${name}`, 'has the name of a credential')
  for (const name of Object.keys(values)) if (Object.hasOwn(fields, name)) report(`${method}.values.${name}`, 'has the name of a field')
  for (const name of Object.keys({ ...fields, ...values }))
    if (Object.hasOwn(parameters, name))
      report(`${method}.${Object.hasOwn(fields, name) ? 'fields' : 'values'}.${name}`, 'has the name of a parameter')
}

/** Requests that are sent before everything is known, and what is known by then. */
function requestsBefore({ methods }: Provider, shared: readonly string[]) {
  const { fields = {}, values: ofKey = {} } = methods.apiKey ?? {}
  const byCallback = [...shared, ...learntFrom(methods.oauth2?.values ?? {}, 'callback')]
  const byKey = ['key', ...shared, ...Object.keys(fields), ...learntFrom(ofKey, 'key')]
  const oauth2 = (...names: readonly string[]) => names.map(name => `methods.oauth2.${name}`)
  const beforeResponse = 'is not known before the token response'
  return [
    { fields: oauth2('authorizeUrl', 'authorizeParams'), known: shared, problem: 'is not known before the sign-in' },
    { fields: oauth2('tokenUrl', 'tokenHeaders', 'tokenParams'), known: byCallback, problem: beforeResponse },
    { fields: ['methods.apiKey.tokenRequest'], known: byKey, problem: beforeResponse }
  ]
}

function checkLookup({ api, methods }: Provider, name: 'oauth2' | 'apiKey', problems: NameProblems): void {
  const { lookup, values = {} } = methods[name] ?? {}
  if (!lookup) return
  const later = learntFrom(values, 'lookup')
  const unknownYet = 'is not known before the look-up'
  const target = lookup.url === undefined ? 'path' : 'url'
  for (const variable of variablesIn(lookup[target] ?? ''))
    if (later.includes(variable)) problems.add(`methods.${name}.lookup.${target}`, variable, [], unknownYet)
  if (target === 'url') return
  for (const variable of variablesIn(api.baseUrl))
    if (later.includes(variable)) problems.add(`methods.${name}.lookup.path`, variable, [], `${unknownYet} and is a part of api.baseUrl`)
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

/** @param addUnknown for each name that is not in the scope */
function createCheck(
  templates: ReadonlyMap<string, string>,
  scope: Scope,
  report: Report,
  addUnknown: (field: string, variable: string) => void
): TemplateChanges {
  const names = (field: string) => {
    for (const name of variablesIn(templates.get(field) ?? '')) if (!scope.has(name)) addUnknown(field, name)
    return field
  }
  const url = (field: string) => {
    const template = templates.get(field) ?? ''
    for (const name of positionsIn(template).host) {
      const kind = scope.get(name)
      // What follows the last expression keeps the host at the vendor: two labels at least.
      const isKept = /^https:\/\/[^/?#]*\}(?:-[a-z0-9-]+)?(?:\.[a-z0-9-]+){2,}(?=[/?#]|$)/.test(template)
      if (kind === 'secret') report(field, `makes a host of {${name}}, which is a secret`)
      if (kind === 'label' && !isKept)
        report(
          field,
          `makes a host of {${name}}, which could be any: the vendor’s domain must follow it, as in https://{${name}}.example.com, or it needs oneOf or isHost`
        )
    }
    return names(field)
  }
  return { url, path: names, header: names, text: names }
}
