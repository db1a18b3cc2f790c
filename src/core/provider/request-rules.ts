import type { GatewayRequest, Placement, RequestTemplate } from './request-template.ts'
import { anyText, anything, both, byField, object, oneOf, type Report, type Rule, text, textsByName } from './rules.ts'
import { endpointUrl, headerName, headers, path } from './text-rules.ts'

type PlacementIn<Place extends Placement['in']> = Extract<Placement, { readonly in: Place }>

export const placement: Rule = byField('in', {
  header: both(
    object<PlacementIn<'header'>>({ required: { in: anything, name: headerName }, optional: { prefix: anyText, value: text } }),
    ({ prefix, value }, field, report) => {
      if (prefix !== undefined && value !== undefined) report(field, 'must have a prefix or a value, not both')
    }
  ),
  query: object<PlacementIn<'query'>>({ required: { in: anything, name: text }, optional: {} }),
  path: object<PlacementIn<'path'>>({ required: { in: anything, after: path }, optional: {} }),
  basic: object<PlacementIn<'basic'>>({ required: { in: anything }, optional: { username: anyText, password: anyText } })
})

export const requestTemplate: Rule = object<RequestTemplate>({
  required: { url: endpointUrl },
  optional: {
    method: oneOf('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
    format: oneOf('form', 'json', 'query'),
    params: textsByName,
    headers,
    basic: object<NonNullable<RequestTemplate['basic']>>({ required: { username: anyText, password: anyText }, optional: {} })
  }
})

/** Rules of `GatewayRequest`, for the types that extend it. */
export const gatewayRequest: { readonly [Name in keyof GatewayRequest]-?: Rule } = {
  path,
  url: endpointUrl,
  method: oneOf('GET', 'HEAD', 'POST'),
  body: anything
}

/** @param origins at which a request may send the credential; none if the addresses that say so have a problem of their own */
export const checkTarget =
  (origins: readonly string[], isRequired = true) =>
  (request: Readonly<Record<string, unknown>>, field: string, report: Report): void => {
    const { path, url, method, body } = request
    if (path !== undefined && url !== undefined) report(field, 'must have a path or a url, not both')
    if (isRequired && path === undefined && url === undefined) report(field, 'must have a path or a url')
    const origin = typeof url === 'string' ? originOf(url) : ''
    if (origins.length > 0 && /^(?:https:|\{)/.test(origin) && !origins.includes(origin))
      report(`${field}.url`, 'must be at the origin of one of the API’s bases or of the token endpoint')
    if (body !== undefined && method !== 'POST') report(`${field}.body`, "must be left out, or method be 'POST'")
  }

/** The origin of a URL. Of a template the part before the path, as it is written. */
export const originOf = (url: string): string =>
  url.includes('{') ? (/^(?:https?:\/\/)?[^/?#]*/.exec(url)?.[0] ?? '') : (URL.parse(url)?.origin ?? '')
