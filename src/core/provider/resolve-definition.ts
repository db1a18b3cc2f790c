import { createHash } from 'node:crypto'
import { BoundedMap } from '../util/bounded-map.ts'
import type { Provider } from './definition.ts'
import { mapRequestTemplates, mapTemplates, type TemplateChanges } from './map-templates.ts'
import { type Expansion, expand, type Variables, variablesIn } from './template.ts'

/** Definitions in which values are put, of users who are active. */
const maxResolved = 1_000

const resolved = new WeakMap<Provider, BoundedMap<string, Provider>>()
const templated = new WeakMap<Provider, boolean>()

/**
 * A definition in whose URLs, headers and parameters these values stand. What depends on a value that is not known yet stays a template: an API's
 * base may be known after the sign-in alone. Placements and request templates stay as they are, since they hold credentials when they are used.
 * @returns the same object for the same values, since what is parsed of a definition is kept with it; the definition itself if it has no template
 * @throws {TemplateError} for a value that was not checked and must not stand there
 */
export function resolveDefinition(definition: Provider, variables: Variables): Provider {
  if (!hasTemplates(definition)) return definition
  let ofDefinition = resolved.get(definition)
  if (!ofDefinition) {
    ofDefinition = new BoundedMap({ maxEntries: maxResolved, order: 'lru' })
    resolved.set(definition, ofDefinition)
  }
  const key = hashOf(variables)
  let result = ofDefinition.get(key)
  if (!result) {
    result = mapTemplates(definition, expandingWith(variables))
    ofDefinition.set(key, result)
  }
  return result
}

/**
 * A definition for a request that comes before everything is known, as the one that finds out a value: headers and parameters that still need one
 * are left out.
 */
export function partialDefinition(definition: Provider, variables: Variables): Provider {
  if (missingVariables(definition, variables).length === 0) return resolveDefinition(definition, variables)
  const { headers, query, ...api } = definition.api
  const known = (templates: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(
      Object.entries(templates).filter(([, template]) => variablesIn(template).every(name => Object.hasOwn(variables, name)))
    )
  return resolveDefinition({ ...definition, api: { ...api, headers: known(headers), query: known(query) } }, variables)
}

/**
 * A definition with the operator's part of it: the parameters that are fixed for everybody, which users are not asked for, and the client's id.
 * @param variables checked, and without braces
 */
export function resolveForOperator(definition: Provider, variables: Variables): Provider {
  const changes = expandingWith(variables)
  const { parameters, ...rest } = mapRequestTemplates(mapTemplates(definition, changes), changes)
  const asked = Object.entries(parameters ?? {}).filter(([name]) => !Object.hasOwn(variables, name))
  return asked.length === 0 ? rest : { ...rest, parameters: Object.fromEntries(asked) }
}

/** What every request to the API needs and is not among the variables. One to another base may need more. */
export const missingVariables = ({ api: { baseUrl, headers = {}, query = {} } }: Provider, variables: Variables): string[] =>
  [baseUrl, ...Object.values(headers), ...Object.values(query)].flatMap(variablesIn).filter(name => !Object.hasOwn(variables, name))

/** What is not known yet stays an expression. */
function expandingWith(variables: Variables): TemplateChanges {
  const known = (kind: keyof Expansion) => (template: string) => expand[kind](template, variables, 'known')
  return { url: known('url'), path: known('path'), header: known('header'), text: known('text') }
}

/** Whether anything in the definition depends on a user or on the operator's client. */
export function hasTemplates(definition: Provider): boolean {
  let known = templated.get(definition)
  if (known === undefined) {
    known = false
    const see = (template: string) => {
      known ||= variablesIn(template).length > 0
      return template
    }
    mapTemplates(definition, { url: see, path: see, header: see, text: see })
    templated.set(definition, known)
  }
  return known
}

/** The values themselves may be secrets. */
const hashOf = (variables: Variables): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('base64url')
