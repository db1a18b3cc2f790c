import { connectionFromGrant, type Grant, grantLifetimeMs } from '../../core/connections/connection.ts'
import { missingScopes } from '../../core/connections/missing-scopes.ts'
import { TokenEndpointError } from '../../core/oauth/token-response.ts'
import { parseTokenResponseBody } from '../../core/oauth/token-response-body.ts'
import type { OAuth2Method, OAuthClient } from '../../core/provider/definition.ts'
import type { RecordedSignIn } from './oauth-requests.ts'
import { placeholders } from './placeholders.ts'
import type { Recorder } from './recorder.ts'

/** What the gateway makes of a token response. No token is repeated. */
export type Reading =
  | {
      readonly isAccepted: true
      readonly accessTokenCharacters: number
      readonly hasRefreshToken: boolean
      readonly expiresInSeconds: number | undefined
      readonly scopes: readonly string[] | undefined
      readonly account: string | undefined
      readonly accountId: string | undefined
      /** Those that the definition learns from it, secrets without their content. */
      readonly values: Readonly<Record<string, string>>
      readonly notes: readonly string[]
    }
  | {
      readonly isAccepted: false
      readonly reason: string
      /** What the gateway does about it. */
      readonly consequence: string
      /** JSON Pointers to all that the response holds, without values. */
      readonly members: readonly string[]
    }

type Definition = { readonly method: OAuth2Method; readonly client: OAuthClient; readonly clientIdVariable: string }
type Response = { readonly status: number; readonly body: Buffer }

/** Has the gateway's token endpoint read the response, as if a provider had sent it to an authorization code. */
export async function readTokenResponse(
  recorder: Recorder,
  { tokenEndpoint, redirectUri, flow }: RecordedSignIn,
  definition: Definition,
  response: Response
): Promise<Reading> {
  recorder.respondWith(response)
  try {
    return describeGrant(
      await tokenEndpoint.exchange({ code: placeholders.code, redirectUri, codeVerifier: flow.codeVerifier }),
      definition
    )
  } catch (error) {
    if (!(error instanceof TokenEndpointError)) throw error
    return { isAccepted: false, ...describeRefusal(error, definition.method), members: pointersIn(parseTokenResponseBody(response.body)) }
  }
}

function describeGrant(grant: Grant, { method, client, clientIdVariable }: Definition): Reading {
  const { accessToken, refreshToken, scopes, account, accountId } = grant
  const lifetimeMs = grantLifetimeMs(grant, Date.now())
  const missing = missingScopes(client.scopes, connectionFromGrant(grant, '', client.scopes, 0))
  return {
    isAccepted: true,
    accessTokenCharacters: accessToken.reveal().length,
    hasRefreshToken: refreshToken !== undefined,
    expiresInSeconds: lifetimeMs === undefined ? undefined : Math.round(lifetimeMs / 1000),
    scopes,
    account,
    accountId,
    values: Object.fromEntries(
      Object.entries(grant.values ?? {}).map(([name, value]) => [
        name,
        method.values?.[name]?.secret ? `${value.length} characters` : value
      ])
    ),
    notes: [
      ...(refreshToken
        ? []
        : [
            'There is no refresh token: the user connects again when the access token ends. Many vendors send one for a scope or parameter.'
          ]),
      ...(lifetimeMs === undefined
        ? [
            'There is no lifetime: the token is used until the API responds with 401. tokenResponse.expiresIn says where it is, defaultExpiresIn what to assume.'
          ]
        : []),
      ...(missing.length > 0 ? [`These scopes were asked for and not granted: ${missing.join(', ')}.`] : []),
      ...accountNotes(grant, { method, client, clientIdVariable })
    ]
  }
}

function accountNotes({ account, accountId }: Grant, { method, client, clientIdVariable }: Definition): string[] {
  const source = method.account
  if (!source) return ['The definition has no account: two connections of one account are not known to be the same.']
  if (source.from === 'lookup') return ['The account is asked for by the request above, not read here.']
  const lacking = [
    ...(source.id !== undefined && accountId === undefined ? [`id ${source.id}`] : []),
    ...(source.name !== undefined && account === undefined ? [`name ${[source.name].flat().join(' or ')}`] : [])
  ]
  if (lacking.length === 0) return []
  const isPlaceholder = client.id === placeholders.clientId
  return [
    `The account is not found: nothing fit for it at ${lacking.join(', ')}${source.from === 'id_token' ? ' of the claims of /id_token' : ''}.`,
    ...(source.from === 'id_token'
      ? [
          `An ID token counts only if its "aud" is ${isPlaceholder ? `your client, which is not known here: give --client-id, or set ${clientIdVariable}` : client.id}${method.issuer === undefined ? '' : ` and its "iss" is ${method.issuer}`}.`
        ]
      : [])
  ]
}

function describeRefusal(error: TokenEndpointError, { tokenResponse }: OAuth2Method): { reason: string; consequence: string } {
  const { code, description, status } = error.details
  const words = [code, description].filter(text => text !== undefined).join(', ')
  const reason = `${error.message}${words === '' ? '' : ` (${words})`}`
  if (error.isInvalidGrant)
    return { reason, consequence: 'It means invalid_grant: the grant has ended, and the user has to connect again.' }
  if (error.isClientRejected)
    return { reason, consequence: 'It means invalid_client: the operator’s client is rejected, and only the operator can fix that.' }
  if (error.kind === 'invalid_value')
    return { reason, consequence: 'Nothing is connected: values of the definition say where in this response each is, and of what form.' }
  if (error.kind === 'invalid_response')
    return {
      reason,
      consequence: `The access token is read at ${tokenResponse?.accessToken ?? '/access_token'}. If this response is a good one, say in tokenResponse where its fields are.`
    }
  return {
    reason,
    consequence: error.isRejection
      ? `It ends no grant by itself: a refresh is tried again, for ten minutes of nothing but rejections. If it means that the grant has ended, say so in refusals.`
      : `It ends no grant: a refresh is tried again later${status === undefined ? '' : `, as after any ${status}`}.`
  }
}

const maxMembers = 40

/** Values are left out: they may be tokens. */
function pointersIn(document: unknown, pointer = ''): string[] {
  if (typeof document !== 'object' || document === null) return pointer === '' ? [] : [pointer]
  return Object.entries(document)
    .flatMap(([name, value]) => pointersIn(value, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`))
    .slice(0, maxMembers)
}
