import { isDeepStrictEqual } from 'node:util'
import type { AccountLookup, CredentialCheck, Provider } from '../core/provider/definition.ts'
import type { Lookup } from '../core/provider/parameter.ts'
import type { GatewayRequest } from '../core/provider/request-template.ts'
import type { Variables } from '../core/provider/template.ts'
import { buildDocument, type Entry } from './documents.ts'
import { type Facts, items } from './facts.ts'
import type { Grant } from './grant-store.ts'
import { splitTarget } from './http.ts'
import { matchPath } from './match-template.ts'
import { addressOf, readTemplates } from './played-request.ts'
import { stableHex } from './stable-id.ts'
import { accountEntries } from './tokens.ts'

/** A request to the API, of which the definition may know the response. */
export type ApiLocation = {
  readonly method: string
  /** As in `PlayedRequest`. */
  readonly address: string
  /** Below `api.baseUrl`, if it is there. */
  readonly path: string | undefined
  readonly query: URLSearchParams
  /** The parsed body. */
  readonly body: unknown
}

export type ApiDocument = {
  readonly status: number
  readonly body: unknown
  /** What stands for the expressions in the request's path. */
  readonly variables: Variables
}

/** What a definition asks of the API itself: the check, the look-up, and the account. */
export function createApiDocuments(definition: Provider, method: Grant['method'], facts: Facts, prefix: string) {
  const own = definition.methods[method]
  const { check, lookup, account } = own ?? {}
  const requests: ReadonlyArray<readonly [GatewayRequest | AccountLookup, (account: string) => Entry[]]> = [
    ...(check
      ? [[check, (name: string) => [...expected(check), ...(account?.from === 'check' ? accountEntries(account, name) : [])]] as const]
      : []),
    ...(account?.from === 'lookup' && (account.path !== undefined || account.url !== undefined)
      ? [[account, (name: string) => accountEntries(account, name)] as const]
      : []),
    ...(lookup ? [[lookup, (name: string) => lookupEntries(lookup, name)] as const] : [])
  ]

  function lookupEntries({ choose }: Lookup, name: string): Entry[] {
    const ofAccount =
      account?.from === 'lookup' && account.path === undefined && account.url === undefined ? accountEntries(account, name) : []
    const values = (item: number) =>
      facts.sentValues(method, 'lookup', name, item).map(([{ pointer = '' }, text]): Entry => [pointer, text])
    if (!choose) return [...ofAccount, ...values(0)]
    const list = items.map(item =>
      buildDocument([
        ...ofAccount,
        [choose.id, stableHex(`${name} ${item}`)],
        [choose.name, `${choose.title} ${item + 1}`],
        ...values(item)
      ])
    )
    return [...(choose.items === '' ? [] : ofAccount), [choose.items, list]]
  }

  const matches = ([request]: (typeof requests)[number], location: ApiLocation) => matchRequest(request, location, prefix)

  return {
    /** @returns `undefined` if the definition does not know the response */
    find(location: ApiLocation, account: string): ApiDocument | undefined {
      const found = requests.flatMap(request => {
        const variables = matches(request, location)
        return variables ? [{ variables, entries: request[1](account), status: statusOf(request[0]) }] : []
      })
      if (found.length === 0) return undefined
      return {
        status: found[0]?.status ?? 200,
        body: buildDocument(found.flatMap(({ entries }) => entries)),
        variables: Object.assign({}, ...found.map(({ variables }) => variables))
      }
    },

    /** Whether a request is the look-up, which has none of the values that it is for. */
    isLookup: (location: ApiLocation): boolean => lookup !== undefined && matchRequest(lookup, location, prefix) !== undefined,

    /** How the check says in its body that a credential is not valid. */
    refusal(location: ApiLocation): { readonly status: number; readonly entries: Entry[] } | undefined {
      const { expect } = check ?? {}
      if (!check || expect?.equals === undefined || !matchRequest(check, location, prefix)) return undefined
      return { status: statusOf(check), entries: [[expect.pointer, expect.equals === true ? false : null]] }
    }
  }
}

const statusOf = (request: GatewayRequest | CredentialCheck | AccountLookup): number =>
  'status' in request ? ([request.status].flat()[0] ?? 200) : 200

const expected = ({ expect }: CredentialCheck): Entry[] => (expect ? [[expect.pointer, expect.equals ?? 'sandbox']] : [])

function matchRequest(request: GatewayRequest | AccountLookup, location: ApiLocation, prefix: string): Variables | undefined {
  const { path, url } = request
  const method = 'method' in request ? (request.method ?? 'GET') : 'GET'
  if (location.method !== method && !(method === 'GET' && location.method === 'HEAD')) return undefined
  if ('body' in request && request.body !== undefined && !isDeepStrictEqual(request.body, location.body)) return undefined
  const address = url === undefined ? relative(path ?? '') : addressOf(url, prefix)
  const text = url === undefined ? location.path : location.address
  const match = text === undefined ? undefined : matchPath(address.path, text)
  const query = readTemplates(address.query, name => location.query.get(name), 'parameter')
  return match && 'variables' in query ? { ...match.variables, ...query.variables } : undefined
}

function relative(target: string) {
  const { path, search } = splitTarget(target)
  return { path, query: [...new URLSearchParams(search)] }
}
