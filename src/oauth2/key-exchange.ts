import type { Grant } from '../core/connections/connection.ts'
import { variablesOf } from '../core/connections/connection-definition.ts'
import { reconnectRequired } from '../core/connections/errors.ts'
import type { KeyExchange } from '../core/oauth/token-endpoint.ts'
import { parseTokenResponse, TokenEndpointError } from '../core/oauth/token-response.ts'
import { readNewValues, readValues } from '../core/oauth/token-values.ts'
import type { LookupFor } from '../core/ports.ts'
import type { ApiKeyMethod, Provider } from '../core/provider/definition.ts'
import { learnValues } from '../core/provider/learn-values.ts'
import type { RequestTemplate } from '../core/provider/request-template.ts'
import type { TemplateError, Variables } from '../core/provider/template.ts'
import { Secret } from '../core/secret.ts'
import { documentIn } from './read-response.ts'
import { revokeByTemplate } from './revoke.ts'
import { createSendRequest, expandRequest } from './send-request.ts'
import { orThrow } from './template-errors.ts'
import type { TokenTimeouts } from './token-endpoint.ts'

type KeyExchangeOptions = {
  readonly definition: Provider
  readonly method: ApiKeyMethod & { readonly tokenRequest: RequestTemplate }
  /** The operator's client, if there is one. */
  readonly clientId: string | undefined
  readonly lookupFor: LookupFor
  readonly timeouts: TokenTimeouts
}

/** Core's `KeyExchange`: the vendor's own request with what the user has given. A client credentials grant (RFC 6749 §4.4) is one. */
export function createKeyExchange({ definition, method, clientId, lookupFor, timeouts }: KeyExchangeOptions): KeyExchange {
  const { tokenRequest, tokenResponse: shape, revokeRequest, values } = method
  const sendRequest = createSendRequest(lookupFor)
  const client = clientId === undefined ? undefined : { client_id: clientId }

  /** @returns the token response, and the grant in it */
  async function request(key: Secret, given: Variables, timeoutMs: number): Promise<readonly [unknown, Grant]> {
    const sent = [key.reveal(), ...Object.values(given).filter(value => value.length >= minSecretCharacters)]
    const own = expandRequest(tokenRequest, { ...given, ...client, key: key.reveal() })
    try {
      const document = documentIn(await sendRequest(own, timeoutMs), { refusals: undefined, sent })
      // RFC 6749 §4.4.3: no refresh token is issued. With the key there can always be another access token.
      return [document, { ...parseTokenResponse(document, { shape, sent }), refreshToken: key }]
    } catch (error) {
      throw error instanceof TokenEndpointError ? ofKey(error) : error
    }
  }

  return {
    async exchange(key, parameters = {}) {
      const inKey = learnValues(definition, values, 'key', key.reveal())
      const [document, grant] = await orThrow(cannotBeSent, () => request(key, { ...parameters, ...inKey }, timeouts.exchangeMs))
      if (!values) return grant
      try {
        return { ...grant, values: { ...inKey, ...readValues(definition, values, 'token', document) } }
      } catch (error) {
        throw error instanceof TokenEndpointError ? error.withGrant(grant) : error
      }
    },

    async refresh(connection) {
      const key = connection.refreshToken ?? new Secret('')
      const [document, grant] = await orThrow(
        () => reconnectRequired(definition.name),
        () => request(key, variablesOf(connection), timeouts.refreshMs)
      )
      return values ? { ...grant, ...readNewValues(definition, values, document) } : grant
    },

    async revoke(grant) {
      if (revokeRequest)
        await revokeByTemplate(sendRequest, revokeRequest, grant, { ...grant.parameters, ...grant.values, ...client }, timeouts.exchangeMs)
    }
  }
}

/** What the user has given cannot stand in the request, and so is nothing that this vendor has issued. The message has none of it. */
const cannotBeSent = ({ message }: TemplateError) =>
  new TokenEndpointError('refused', `the request for a token cannot be made: ${message}`, 'invalid_grant', { means: 'invalid_grant' })

/** A response may repeat a region or a user's name. */
const minSecretCharacters = 12

/** Here the client is the user's own, and so its rejection ends the connection as that of a grant does. */
function ofKey(error: TokenEndpointError): TokenEndpointError {
  const { message, details } = error
  if (error.isInvalidGrant || !(error.isClientRejected || (details.status === 401 && !details.isTemporary))) return error
  return new TokenEndpointError('refused', message, 'invalid_grant', { ...details, means: 'invalid_grant' })
}
