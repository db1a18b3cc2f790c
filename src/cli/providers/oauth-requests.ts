import { lookup } from 'node:dns'
import { connectionFromGrant } from '../../core/connections/connection.ts'
import { createFlow, type Flow } from '../../core/flow.ts'
import type { TokenEndpoint } from '../../core/oauth/token-endpoint.ts'
import type { OAuth2Method, OAuthClient, Provider, TokenResponseShape } from '../../core/provider/definition.ts'
import { mapRequestTemplates, mapTemplates } from '../../core/provider/map-templates.ts'
import { Secret } from '../../core/secret.ts'
import { createKeyExchange } from '../../oauth2/key-exchange.ts'
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
  /** With values for everything that it names, see `trialDefinition`. */
  readonly definition: Provider
  readonly method: OAuth2Method
  readonly client: OAuthClient
  readonly publicUrl: string
}

/** Of the recorder's own responses. */
const timeouts = { exchangeMs: 10_000, refreshMs: 10_000 }
const lookupFor = () => lookup

export async function recordSignIn(recorder: Recorder, { definition, method, ...options }: SignInOptions): Promise<RecordedSignIn> {
  const flow = createFlow({ provider: definition.name, owner: '', returnTo: '/', startsSession: true }, Date.now())
  const shared = { ...options, lookupFor, timeouts }
  const { authorizeUrl, redirectUri } = createOAuthProvider({ ...shared, definition, method })
  const recorded = atRecorder(recorder, { ...definition, methods: { oauth2: method } })
  const { tokenEndpoint } = createOAuthProvider({
    ...shared,
    definition: recorded,
    method: recorded.methods.oauth2 ?? method
  })
  return { redirectUri, tokenEndpoint, flow, authorizeUrl: await authorizeUrl(flow) }
}

/** Every request of the definition goes to the recorder. */
function atRecorder({ at }: Recorder, definition: Provider): Provider {
  const same = (template: string) => template
  const changes = { url: at, path: same, header: same, text: same }
  return mapRequestTemplates(mapTemplates(definition, changes), changes)
}

export type OAuthRequests = {
  readonly token: RecordedRequest | undefined
  readonly upgrade: RecordedRequest | undefined
  readonly refresh: RecordedRequest | undefined
  readonly revocation: RecordedRequest | undefined
}

const accessToken = new Secret(placeholders.accessToken)
const refreshToken = new Secret(placeholders.refreshToken)

/** What each of them sends. Only requests count: the recorder's response may not be one that the definition reads. */
const sentBy = async (recorder: Recorder, work: Promise<unknown>) => {
  await work.catch(() => {})
  return recorder.take()
}

export async function recordTokenRequests(
  recorder: Recorder,
  { tokenResponse }: OAuth2Method,
  { tokenEndpoint, redirectUri, flow }: RecordedSignIn
): Promise<OAuthRequests> {
  recorder.respondWith({ status: 200, body: tokenDocument(tokenResponse) })
  const exchange = tokenEndpoint.exchange({ code: placeholders.code, redirectUri, codeVerifier: flow.codeVerifier })
  const [token, upgrade] = await sentBy(recorder, exchange)
  const [refresh] = await sentBy(recorder, tokenEndpoint.refresh(connectionFromGrant({ accessToken, refreshToken }, '', [], 0)))
  const [revocation] = await sentBy(recorder, tokenEndpoint.revoke({ token: refreshToken, type: 'refresh_token', accessToken }))
  return { token, upgrade, refresh, revocation }
}

/** What exchanges a key for access tokens, and what ends one. */
export type KeyRequests = Pick<OAuthRequests, 'token' | 'revocation'>

export async function recordKeyExchange(
  recorder: Recorder,
  definition: Provider,
  clientId: string | undefined
): Promise<KeyRequests | undefined> {
  const recorded = atRecorder(recorder, definition)
  const method = recorded.methods.apiKey
  if (!method?.tokenRequest) return undefined
  // The examples of all values stand in the definition already.
  const { tokenRequest, values: _, ...rest } = method
  const { exchange, revoke } = createKeyExchange({ definition: recorded, method: { ...rest, tokenRequest }, clientId, lookupFor, timeouts })
  const key = new Secret(placeholders.apiKey)
  const [token] = await sentBy(recorder, exchange(key))
  const [revocation] = await sentBy(recorder, revoke({ method: 'api_key', token: accessToken, type: 'access_token', key }))
  return { token, revocation }
}

/** In the definition's shape, so that a request follows that needs the token. */
function tokenDocument({ accessToken = '/access_token', tokenType = 'bearer' }: TokenResponseShape = {}): Buffer {
  const document: Record<string, unknown> = { token_type: tokenType }
  const names = accessToken
    .split('/')
    .slice(1)
    .map(name => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  let parent = document
  for (const name of names.slice(0, -1)) {
    const next = {}
    parent[name] = next
    parent = next
  }
  parent[names.at(-1) ?? ''] = placeholders.accessToken
  return Buffer.from(JSON.stringify(document))
}
