import { lookup } from 'node:dns'
import { connectionFromGrant } from '../../core/connections/connection.ts'
import { createFlow, type Flow } from '../../core/flow.ts'
import type { TokenEndpoint } from '../../core/oauth/token-endpoint.ts'
import type { OAuth2Method, OAuthClient, Provider } from '../../core/provider/definition.ts'
import { Secret } from '../../core/secret.ts'
import { createOAuthProvider } from '../../oauth2/oauth-provider.ts'
import { placeholders } from './placeholders.ts'
import type { RecordedRequest, Recorder } from './recorder.ts'

/** A sign-in as the gateway would carry it out, whose token requests a recorder takes. */
export type RecordedSignIn = {
  readonly redirectUri: string
  readonly authorizeUrl: string
  readonly tokenEndpoint: TokenEndpoint
  readonly flow: Flow
}

type SignInOptions = {
  readonly definition: Provider
  readonly method: OAuth2Method
  readonly client: OAuthClient
  readonly publicUrl: string
}

/** Of the recorder's own responses. */
const timeouts = { exchangeMs: 10_000, refreshMs: 10_000 }

export async function recordSignIn(recorder: Recorder, { method, ...options }: SignInOptions): Promise<RecordedSignIn> {
  const recorded: OAuth2Method = {
    ...method,
    tokenUrl: recorder.at(method.tokenUrl),
    ...(method.refreshUrl !== undefined && { refreshUrl: recorder.at(method.refreshUrl) }),
    ...(method.revokeUrl !== undefined && { revokeUrl: recorder.at(method.revokeUrl) })
  }
  const provider = createOAuthProvider({ ...options, method: recorded, lookupFor: () => lookup, timeouts })
  const flow = createFlow({ provider: options.definition.name, owner: '', returnTo: '/', startsSession: true }, Date.now())
  const { redirectUri, tokenEndpoint } = provider
  return { redirectUri, tokenEndpoint, flow, authorizeUrl: await provider.authorizeUrl(flow) }
}

export type OAuthRequests = {
  readonly token: RecordedRequest | undefined
  readonly refresh: RecordedRequest | undefined
  readonly revocation: RecordedRequest | undefined
}

/** What each of them sends. */
export async function recordTokenRequests(
  recorder: Recorder,
  { tokenUrl, refreshUrl, revokeUrl }: OAuth2Method,
  { tokenEndpoint, redirectUri, flow }: RecordedSignIn
): Promise<OAuthRequests> {
  // The recorder's response may not be one that the definition reads. Only the request counts.
  const sent = async (url: string, send: Promise<unknown>) => {
    await send.catch(() => {})
    return recorder.take(url)[0]
  }
  const refreshToken = new Secret(placeholders.refreshToken)
  return {
    token: await sent(tokenUrl, tokenEndpoint.exchange({ code: placeholders.code, redirectUri, codeVerifier: flow.codeVerifier })),
    refresh: await sent(
      refreshUrl ?? tokenUrl,
      tokenEndpoint.refresh(connectionFromGrant({ accessToken: new Secret(placeholders.accessToken), refreshToken }, '', [], 0))
    ),
    revocation:
      revokeUrl === undefined ? undefined : await sent(revokeUrl, tokenEndpoint.revoke({ token: refreshToken, type: 'refresh_token' }))
  }
}
