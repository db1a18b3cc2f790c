import { type Connection, newConnectionId } from '../../core/connections/connection.ts'
import type { Provider } from '../../core/provider/definition.ts'
import type { GatewayRequest } from '../../core/provider/request-template.ts'
import { withBase } from '../../core/proxy/api-base.ts'
import { getDocument } from '../../core/proxy/get-document.ts'
import { Secret } from '../../core/secret.ts'
import { placeholders } from './placeholders.ts'
import { type RecordedRequest, recordSend } from './recorder.ts'

export type ApiRequests = {
  /** Proxied ones: wherever the credential is placed in another way, and at each of the bases. */
  readonly calls: ReadonlyArray<{ readonly where: string; readonly request: RecordedRequest | undefined }>
  /** That asks whether the credential is good. */
  readonly check: RecordedRequest | undefined
  /** That asks for values, or for what there is to choose from. */
  readonly lookup: RecordedRequest | undefined
  /** That asks which account it is. */
  readonly account: RecordedRequest | undefined
}

const timeoutMs = 1000

/**
 * The gateway's own requests to the API with a credential of this kind, and those that it would proxy.
 * @param definition with values for everything that it names, see `trialDefinition`
 */
export async function recordApiRequests(definition: Provider, method: Connection['method']): Promise<ApiRequests> {
  const isOAuth = method === 'oauth2'
  const { check, lookup, account, placements = [] } = (isOAuth ? definition.methods.oauth2 : definition.methods.apiKey) ?? {}
  const isExchanged = definition.methods.apiKey?.tokenRequest !== undefined
  const key = new Secret(placeholders.apiKey)
  const connection: Connection = {
    id: newConnectionId(),
    provider: definition.name,
    method,
    status: 'connected',
    credential: isOAuth || isExchanged ? new Secret(placeholders.accessToken) : key,
    ...(!isOAuth && isExchanged && { refreshToken: key }),
    connectedAtMs: Date.now()
  }
  const get = async (request: GatewayRequest, at = definition) => {
    const { send, requests } = recordSend()
    await getDocument(send, at, connection, request, timeoutMs)
    return requests[0]
  }
  const call = async (where: string, path: string, at?: Provider) => ({ where, request: await get({ path }, at) })
  const { bases = {}, paths } = definition.api
  const path = paths?.[0] ?? '/PATH'
  const below = placements.flatMap(placement => (placement.in === 'path' ? placement.after : []))
  const isOwnRequest = account?.from === 'lookup' && (account.path !== undefined || account.url !== undefined)
  return {
    calls: await Promise.all([
      call('', path),
      ...below.map(after => call(` below ${after}`, `${after}/PATH`)),
      ...Object.keys(bases).map(base => call(`, at the base ${base}`, path, withBase(definition, base)))
    ]),
    check: check && (await get(check)),
    lookup: lookup && (await get(lookup)),
    account: isOwnRequest ? await get(account) : undefined
  }
}
