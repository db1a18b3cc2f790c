import type { AccountLookup, Api, ApiBase, ApiKeyMethod, OAuth2Method, Provider } from './definition.ts'
import type { GatewayRequest, Placement, RequestTemplate } from './request-template.ts'

/** Changes a template, by what it becomes. */
export type TemplateChanges = Readonly<Record<'url' | 'path' | 'header' | 'text', (template: string) => string>>

/**
 * A copy of a definition with every template changed that becomes a part of it. Placements and request templates are not among them: they hold
 * credentials, and are expanded for each request.
 */
export function mapTemplates(definition: Provider, { url, path, header, text }: TemplateChanges): Provider {
  const request = <R extends Pick<GatewayRequest, 'path' | 'url'>>(one: R): R => each(one, { path, url } as object)
  const account = (one: object) => ('from' in one && one.from === 'lookup' ? request(one as AccountLookup) : one)
  const requests = { check: request, lookup: request, account } as object
  const { oauth2, apiKey } = definition.methods
  return {
    ...definition,
    api: each(definition.api, {
      baseUrl: url,
      linkBases: bases => bases.map(url),
      bases: bases => mapValues(bases, base => (typeof base === 'string' ? url(base) : { ...base, url: url(base.url) })),
      headers: headers => mapValues(headers, header),
      query: query => mapValues(query, text)
    }),
    methods: {
      ...(oauth2 && {
        oauth2: each<OAuth2Method>(oauth2, {
          ...requests,
          authorizeUrl: url,
          tokenUrl: url,
          refreshUrl: url,
          revokeUrl: url,
          issuer: url,
          authorizeParams: params => mapValues(params, text),
          tokenParams: params => mapValues(params, text),
          refreshParams: params => mapValues(params, text),
          tokenHeaders: headers => mapValues(headers, header)
        })
      }),
      ...(apiKey && { apiKey: each<ApiKeyMethod>(apiKey, { ...requests, keysUrl: url }) })
    }
  }
}

export const baseUrlOf = (base: ApiBase): string => (typeof base === 'string' ? base : base.url)

/** A copy in which the fields that are set are changed. */
function each<T extends object>(value: T, changes: { readonly [Name in keyof T]?: (field: NonNullable<T[Name]>) => T[Name] }): T {
  const changed = Object.entries(changes).flatMap(([name, change]) => {
    const field = value[name as keyof T]
    return field === undefined ? [] : [[name, (change as (field: unknown) => unknown)(field)]]
  })
  return { ...value, ...Object.fromEntries(changed) }
}

/**
 * A copy of a definition with the templates changed that hold credentials and are expanded for each request: placements, the vendor's own requests
 * and the client's assertion.
 */
export function mapRequestTemplates(definition: Provider, { url, header, text }: TemplateChanges): Provider {
  const placement = (one: Placement): Placement =>
    one.in === 'header' ? each(one, { value: header }) : one.in === 'basic' ? each(one, { username: text, password: text }) : one
  const request = (one: RequestTemplate): RequestTemplate =>
    each(one, {
      url,
      params: params => mapValues(params, text),
      headers: headers => mapValues(headers, header),
      basic: ({ username, password }) => ({ username: text(username), password: text(password) })
    })
  const placements = (list: readonly Placement[]) => list.map(placement)
  const { oauth2, apiKey } = definition.methods
  return {
    ...definition,
    api: each<Api>(definition.api, {
      bases: bases => mapValues(bases, base => (typeof base === 'string' ? base : each(base, { placements })))
    }),
    methods: {
      ...(oauth2 && {
        oauth2: each<OAuth2Method>(oauth2, {
          placements,
          revokeRequest: request,
          refreshRequest: request,
          upgradeRequest: request,
          clientAssertion: assertion => each(assertion, { keyId: text, issuer: text, audience: text })
        })
      }),
      ...(apiKey && { apiKey: each<ApiKeyMethod>(apiKey, { placements, tokenRequest: request, revokeRequest: request }) })
    }
  }
}

const mapValues = <V, R>(record: Readonly<Record<string, V>>, change: (value: V) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
