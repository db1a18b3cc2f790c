import { type Connection, newConnectionId } from '../../core/connections/connection.ts'
import { createEvents } from '../../core/events.ts'
import type { Provider } from '../../core/provider/definition.ts'
import type { GatewayRequest } from '../../core/provider/request-template.ts'
import { getDocument } from '../../core/proxy/get-document.ts'
import { createLookups } from '../../core/proxy/lookup.ts'
import { Secret } from '../../core/secret.ts'
import { placeholders } from './placeholders.ts'
import { type RecordedRequest, recordSend } from './recorder.ts'

export type ApiRequests = {
  /** A request with the credential. */
  readonly call: RecordedRequest | undefined
  /** That asks whether the credential is good. */
  readonly check: RecordedRequest | undefined
  /** That asks which account it is. */
  readonly account: RecordedRequest | undefined
}

const timeoutMs = 1000

/** The gateway's own requests to the API with a credential of this kind, and one that it would proxy. */
export async function recordApiRequests(definition: Provider, method: Connection['method']): Promise<ApiRequests> {
  const isOAuth = method === 'oauth2'
  const check = (isOAuth ? definition.methods.oauth2 : definition.methods.apiKey)?.check
  const connection: Connection = {
    id: newConnectionId(),
    provider: definition.name,
    method,
    status: 'connected',
    credential: new Secret(isOAuth ? placeholders.accessToken : placeholders.apiKey),
    connectedAtMs: Date.now()
  }
  const get = async (request: GatewayRequest) => {
    const { send, requests } = recordSend()
    await getDocument(send, definition, connection, request, timeoutMs)
    return requests[0]
  }
  const { send, requests } = recordSend()
  const { addAccount } = createLookups({ send, events: createEvents(), providers: new Map([[definition.name, { definition }]]) })
  // What is recorded has no response, so that a value may be missing.
  await addAccount(connection).catch(() => {})
  return {
    call: await get({ path: definition.api.paths?.[0] ?? '/PATH' }),
    check: check && (await get(check)),
    account: requests[0]
  }
}
