import type { IncomingHttpHeaders } from 'node:http'
import type { RequestTemplate } from '../core/provider/request-template.ts'
import type { Variables } from '../core/provider/template.ts'
import { type Body, parseJson, splitTarget } from './http.ts'
import { matchPath, matchText } from './match-template.ts'

/** A request to an endpoint of a vendor, read to its end. */
export type PlayedRequest = {
  readonly method: string
  /** After the vendor's name: `HOST/PATH`, byte for byte. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Body
}

/** A URL of the definition in its parts: what is before its query, as in `PlayedRequest`, and the query's parameters. */
export type Address = { readonly path: string; readonly query: ReadonlyArray<readonly [name: string, template: string]> }

/** @param prefix what the URLs of this vendor begin with, with a slash at its end */
export function addressOf(url: string, prefix: string): Address {
  const { path, search } = splitTarget(url.startsWith(prefix) ? url.slice(prefix.length) : url)
  return { path, query: [...new URLSearchParams(search)] }
}

export type Problem = { readonly problem: string }
export type Found = { readonly variables: Variables }

/** The parameters of a request in one of the forms that definitions know. */
export function readParams(request: PlayedRequest, format: 'form' | 'json' | 'query', { query: own }: Address): URLSearchParams | Problem {
  const { method, headers, body, query } = request
  if (format === 'query') {
    const params = new URLSearchParams(query)
    for (const [name] of own) params.delete(name)
    return params
  }
  if (method === 'GET') return { problem: `the parameters must be in the body, as ${format}` }
  const type = headers['content-type'] ?? ''
  if (format === 'form') {
    return /^application\/x-www-form-urlencoded\b/i.test(type) || body.length === 0
      ? new URLSearchParams(body.text)
      : { problem: 'the body must be application/x-www-form-urlencoded' }
  }
  const document = body.length === 0 ? {} : parseJson(body.text)
  const isFlat = typeof document === 'object' && document !== null && Object.values(document).every(value => typeof value === 'string')
  if (!isFlat || (body.length > 0 && !/^application\/json\b/i.test(type))) return { problem: 'the body must be a JSON object of strings' }
  return new URLSearchParams(Object.entries(document as Record<string, string>))
}

/** Reads parameters, or headers, of which the definition has templates. */
export function readTemplates(
  templates: Iterable<readonly [name: string, template: string]>,
  read: (name: string) => string | null | undefined,
  kind: string
): Found | Problem {
  const variables: Record<string, string> = {}
  for (const [name, template] of templates) {
    const text = read(name)
    const match = typeof text === 'string' ? matchText(template, text) : undefined
    if (!match) return { problem: `the ${kind} ${name} must be ${template}${typeof text === 'string' ? '' : ', and is missing'}` }
    const different = Object.keys(match.variables).find(one => Object.hasOwn(variables, one) && variables[one] !== match.variables[one])
    if (different !== undefined) return { problem: `{${different}} has two values` }
    Object.assign(variables, match.variables)
  }
  return { variables }
}

/** @returns `undefined` for a request to another address */
export function readAddress({ path, query }: PlayedRequest, address: Address): Found | Problem | undefined {
  const match = matchPath(address.path, path)
  if (!match) return undefined
  return merge([match, readTemplates(address.query, name => query.get(name), 'parameter')])
}

/**
 * Reads a request of the vendor's own form: exactly what the definition says, and no parameter beside that.
 * @returns `undefined` for a request to another address or with another method
 */
export function readTemplateRequest(template: RequestTemplate, request: PlayedRequest, prefix: string): Found | Problem | undefined {
  const { method = 'POST', format = method === 'GET' ? 'query' : 'form', params: declared = {}, headers = {}, basic } = template
  if (request.method !== method) return undefined
  const address = addressOf(template.url, prefix)
  const found = readAddress(request, address)
  if (!found) return undefined
  const params = readParams(request, format, address)
  if ('problem' in params) return params
  const other = [...params.keys()].find(name => !Object.hasOwn(declared, name))
  if (other !== undefined) return { problem: `the parameter ${other} is not declared` }
  return merge([
    found,
    readTemplates(Object.entries(declared), name => params.get(name), 'parameter'),
    readTemplates(Object.entries(headers), name => request.headers[name]?.toString(), 'header'),
    basic ? readBasic(basic, request.headers.authorization) : { variables: {} }
  ])
}

/** RFC 7617. */
export function readBasic(
  basic: { readonly username: string; readonly password: string },
  authorization: string | undefined
): Found | Problem {
  const [, credentials = ''] = /^Basic ([\w+/]+={0,2})$/i.exec(authorization ?? '') ?? []
  const [, username, password] = /^([^:]*):([\s\S]*)$/.exec(Buffer.from(credentials, 'base64').toString()) ?? []
  const parts: Readonly<Record<string, string | undefined>> = { username, password }
  return readTemplates(Object.entries(basic), name => parts[name], 'Basic')
}

/** All that was found, or the first problem. */
export function merge(results: ReadonlyArray<Found | Problem>): Found | Problem {
  const variables: Record<string, string> = {}
  for (const result of results) {
    if ('problem' in result) return result
    const different = Object.keys(result.variables).find(one => Object.hasOwn(variables, one) && variables[one] !== result.variables[one])
    if (different !== undefined) return { problem: `{${different}} has two values` }
    Object.assign(variables, result.variables)
  }
  return { variables }
}
