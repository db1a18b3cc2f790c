import type { LearntValues } from '../core/provider/parameter.ts'
import { type Variables, variablesIn } from '../core/provider/template.ts'
import type { Location } from './api-bases.ts'
import { type Authority, defaultAccount } from './facts.ts'
import type { Grant } from './grant-store.ts'
import { type ApiRequest, bearer, type PlacedCredential, readCredential } from './placements.ts'
import { merge, readTemplates } from './played-request.ts'
import type { PlayedVendor } from './played-vendor.ts'

/** A request that the API accepts. */
export type Access = {
  readonly authority: Authority
  /** Without the credential. */
  readonly request: ApiRequest
  /** What stands for the expressions of the definition. */
  readonly variables: Variables
}

/** `credential`: as for any invalid credential. `request`: with the right one the response is an error, too. */
type Rejection = {
  readonly rejected: 'credential' | 'request' | 'address'
  readonly message: string
  /** The credential that was there. */
  readonly placed?: { readonly method: Grant['method']; readonly request: ApiRequest }
}

/** Whether a request without its credential is the look-up, which cannot have the values that it is for. */
type IsLookup = (method: Grant['method'], request: ApiRequest) => boolean

const none: ReadonlySet<string> = new Set()
const namesFromLookup = (values: LearntValues = {}): ReadonlySet<string> =>
  new Set(Object.keys(values).filter(name => values[name]?.from === 'lookup'))

const methods: ReadonlyArray<Grant['method']> = ['oauth2', 'apiKey']

/** Decides which requests a vendor's API accepts: exactly those that carry what the definition says, where it says so. */
export function createAccess({ definition, facts, store }: Pick<PlayedVendor, 'definition' | 'facts' | 'store'>) {
  const { headers: ownHeaders = {}, query: ownQuery = {} } = definition.api

  function authorityOf({ credential, variables }: PlacedCredential, method: Grant['method']): Authority | undefined {
    if (credential === undefined) return ownerOf(variables, method)
    const found = store.findAccessToken(credential)
    if (found) return found.grant.method === method && !found.token.isInterim ? found.grant : undefined
    const { apiKey } = definition.methods
    const isKey = method === 'apiKey' && apiKey !== undefined && !apiKey.tokenRequest && credential === facts.key
    return isKey ? { method, account: defaultAccount, parameters: {} } : undefined
  }

  /** Whose second token a base takes in place of the credential. */
  function ownerOf(variables: Variables, method: Grant['method']): Authority | undefined {
    const { values = {} } = definition.methods[method] ?? {}
    const hasSecret = Object.keys(variables).some(name => values[name]?.secret)
    return hasSecret ? store.grants().find(grant => grant.method === method && !facts.problemIn(variables, grant)) : undefined
  }

  /** The credential of whichever method the request uses. */
  function authenticate(placements: Location['placements'], request: ApiRequest) {
    let wrong: { readonly placed: PlacedCredential; readonly method: Grant['method'] } | undefined
    for (const name of methods) {
      const method = definition.methods[name]
      const found = method && readCredential(placements ?? method.placements ?? bearer, request)
      if (!found) continue
      const authority = authorityOf(found, name)
      if (authority) return { placed: found, method: name, authority }
      wrong = { placed: found, method: name }
    }
    return wrong && { ...wrong, authority: undefined }
  }

  function without(learnt: ReadonlySet<string>, templates: Readonly<Record<string, string>>) {
    return Object.entries(templates).filter(([, template]) => !variablesIn(template).some(name => learnt.has(name)))
  }

  return (location: Location, { query, headers }: Pick<ApiRequest, 'query' | 'headers'>, isLookup: IsLookup): Access | Rejection => {
    const found = authenticate(location.placements, { path: location.path, query, headers })
    if (!found) return { rejected: 'credential', message: 'A credential is missing where the definition places it' }
    const { placed, method, authority } = found
    const refuse = (message: string) => ({ rejected: 'credential', message, placed: { method, request: placed } }) as const
    if (!authority) return refuse('The credential is invalid or has expired')
    const inPlacement = facts.problemIn(placed.variables, authority)
    if (inPlacement !== undefined) return refuse(inPlacement)
    if (placed.headers.authorization !== undefined && !Object.hasOwn(ownHeaders, 'authorization'))
      return refuse('The Authorization header is there as well')
    const inAddress = facts.problemIn(location.variables, authority)
    if (inAddress !== undefined) return { rejected: 'address', message: inAddress }
    const unknown = isLookup(method, placed) ? namesFromLookup(definition.methods[method]?.values) : none
    const all = merge([
      location,
      placed,
      readTemplates(without(unknown, ownHeaders), name => headers[name]?.toString(), 'header'),
      readTemplates(without(unknown, ownQuery), name => query.get(name), 'parameter')
    ])
    if ('problem' in all) return { rejected: 'request', message: all.problem }
    const inRequest = facts.problemIn(all.variables, authority)
    if (inRequest !== undefined) return { rejected: 'request', message: inRequest }
    return { authority, request: placed, variables: all.variables }
  }
}
