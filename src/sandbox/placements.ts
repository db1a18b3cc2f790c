import type { IncomingHttpHeaders } from 'node:http'
import type { Placement } from '../core/provider/request-template.ts'
import type { Variables } from '../core/provider/template.ts'
import { matchText } from './match-template.ts'
import { readBasic } from './played-request.ts'

export const bearer: readonly Placement[] = [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }]

export type ApiRequest = { readonly path: string; readonly query: URLSearchParams; readonly headers: IncomingHttpHeaders }

/** A credential, and the request without it. */
export type PlacedCredential = ApiRequest & {
  /** `undefined` where the placement has another secret in place of it. */
  readonly credential: string | undefined
  /** What stands for the other expressions of the placement. */
  readonly variables: Variables
}

/**
 * Reads the credential where the definition puts it for this path: the first placement that matches decides.
 * @returns `undefined` if there is none
 */
export function readCredential(placements: readonly Placement[], request: ApiRequest): PlacedCredential | undefined {
  const placement = placements.find(one => one.in !== 'path' || isWithin(request.path, one.after))
  switch (placement?.in) {
    case 'header':
      return inHeader(placement, request)
    case 'basic': {
      const { username = '{key}', password = '' } = placement
      const found = readBasic({ username, password }, request.headers.authorization)
      return 'problem' in found ? undefined : placed(found.variables, without(request, 'authorization'))
    }
    case 'query': {
      const query = new URLSearchParams(request.query)
      const credential = query.get(placement.name)
      query.delete(placement.name)
      return credential === null ? undefined : { ...request, query, credential, variables: {} }
    }
    case 'path': {
      const [credential = '', ...rest] = request.path.slice(placement.after.length + 1).split('/')
      const path = [placement.after, ...rest].join('/')
      return credential === '' ? undefined : { ...request, path, credential: decode(credential), variables: {} }
    }
    default:
      return undefined
  }
}

function inHeader({ name, prefix = '', value }: Extract<Placement, { in: 'header' }>, request: ApiRequest): PlacedCredential | undefined {
  const match = matchText(value ?? `${prefix}{key}`, request.headers[name]?.toString() ?? '')
  return match && placed(match.variables, without(request, name))
}

function placed({ key, access_token: accessToken, ...variables }: Variables, request: ApiRequest): PlacedCredential | undefined {
  const credential = accessToken ?? key
  return credential === '' ? undefined : { ...request, credential, variables }
}

const without = ({ headers, ...request }: ApiRequest, name: string): ApiRequest => {
  const { [name]: _, ...others } = headers
  return { ...request, headers: others }
}

const isWithin = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`)

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
