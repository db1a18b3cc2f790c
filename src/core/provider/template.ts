import { isPathSegment } from '../util/percent-decoding.ts'
import { splitTarget } from '../util/request-target.ts'
import { isHostName } from './host-name.ts'

/** What the expressions of a template are replaced with, by name. */
export type Variables = Readonly<Record<string, string>>

/** RFC 6570 §3.2.2, simple string expansion. */
const expression = /\{([a-z][a-z0-9_]*)\}/g

/** A value that must not stand where a template has it. */
export class TemplateError extends TypeError {
  override readonly name = 'TemplateError'
  readonly variable: string

  /** @param requirement what the value must be, such as `must be one label of a host name` */
  constructor(variable: string, requirement: string) {
    super(`{${variable}} ${requirement}`)
    this.variable = variable
  }
}

/** The names in a template, in their order. */
export const variablesIn = (template: string): string[] =>
  template.includes('{') ? [...template.matchAll(expression)].map(([, name = '']) => name) : []

/** Whether a template has no expression, or none any more. */
export const isResolved = (template: string): boolean => variablesIn(template).length === 0

type Encode = (value: string, name: string) => string

/** `known` leaves an expression as it is whose value is not known; `all` throws. */
type Extent = 'all' | 'known'

/** How a template of each kind is expanded. @throws {TemplateError} for a value that is not known, or must not stand where the template has it */
export type Expansion = Readonly<
  Record<'url' | 'path' | 'header' | 'text', (template: string, variables: Variables, extent?: Extent) => string>
>

export const expand: Expansion = {
  /**
   * A URL. In its path and query values are percent-encoded; in its host they are labels of a host name. One at its very beginning is an https
   * URL itself, without query and fragment.
   */
  url(template, variables, extent) {
    if (!template.includes('{')) return template
    const [scheme, authority, path, query] = urlParts(template)
    const origin = replace(authority, variables, extent, scheme === '' ? baseUrl : hostLabels)
    return scheme + origin + expand.path(path, variables, extent) + replace(query, variables, extent, queryValue)
  },

  /** A path below an API's base, and its query. */
  path(template, variables, extent) {
    const { path, query } = splitTarget(template)
    return replace(path, variables, extent, pathSegment) + replace(query, variables, extent, queryValue)
  },

  /** The value of a header field: RFC 9110 §5.5 without obs-text, since nothing else can be sent in all cases. */
  header: (template, variables, extent) => replace(template, variables, extent, fieldValue),

  /** For a parameter of a form, a query or a JSON body, which are encoded as a whole later. */
  text: (template, variables, extent) => replace(template, variables, extent, value => value)
}

function replace(template: string, variables: Variables, extent: Extent = 'all', encode: Encode): string {
  if (!template.includes('{')) return template
  return template.replace(expression, (unexpanded, name: string) => {
    if (Object.hasOwn(variables, name)) return encode(variables[name] as string, name)
    if (extent === 'known') return unexpanded
    throw new TemplateError(name, 'is not known')
  })
}

const urlParts = (template: string): readonly [scheme: string, authority: string, path: string, query: string] => {
  const [, scheme = '', authority = '', path = '', query = ''] = /^(https?:\/\/)?([^/?#]*)([^?]*)(.*)$/s.exec(template) ?? []
  return [scheme, authority, path, query]
}

/** Where a URL template has a variable. */
export function positionsIn(template: string): { readonly host: string[]; readonly path: string[]; readonly query: string[] } {
  const [, authority, path, query] = urlParts(template)
  return { host: variablesIn(authority), path: variablesIn(path), query: variablesIn(query) }
}

function pathSegment(value: string, name: string): string {
  if (!isPathSegment(value)) throw new TemplateError(name, 'must be one segment of a path')
  return encodeURIComponent(value)
}

function queryValue(value: string, name: string): string {
  if (!value.isWellFormed()) throw new TemplateError(name, 'must be Unicode')
  return encodeURIComponent(value)
}

function fieldValue(value: string, name: string): string {
  if (!/^[\x20-\x7e]*$/.test(value)) throw new TemplateError(name, 'must be printable ASCII')
  return value
}

function hostLabels(value: string, name: string): string {
  if (!isHostName(value)) throw new TemplateError(name, 'must be letters, digits and hyphens, as in a host name')
  return value.toLowerCase()
}

function baseUrl(value: string, name: string): string {
  const url = URL.parse(value)
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || /[?#]/.test(value) || !isHostName(url.hostname))
    throw new TemplateError(name, 'must be an https URL without user, query and fragment')
  return url.href.replace(/\/+$/, '')
}
