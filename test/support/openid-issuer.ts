import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { type Adapter, type Context, Provider } from 'oidc-provider/lib/provider.js'
import type { Test } from 'tap'
import { Browser } from './browser.ts'

/** A user of the identity provider. */
export type IssuerUser = {
  /** Letters, digits and `|_-.@`. */
  readonly subject: string
  readonly name: string
  readonly email: string
  /** The class of the sign-in that the id token tells. */
  readonly acr?: string
}

export const ada: IssuerUser = { subject: 'ada-1', name: 'Ada Lovelace', email: 'ada@example.com' }
export const grace: IssuerUser = { subject: 'grace-2', name: 'Grace Hopper', email: 'grace@example.com' }

export type OpenidIssuerOptions = {
  readonly redirectUris: readonly string[]
  readonly users?: readonly IssuerUser[]
  readonly clientId?: string
  /** Null for a public client. */
  readonly clientSecret?: string | null
  readonly postLogoutRedirectUris?: readonly string[]
  /** Where the provider sends logout tokens. An id token has a `sid` in any case. */
  readonly backchannelLogoutUri?: string
  /** Whether name and email are in the id token, or at the userinfo endpoint only. */
  readonly hasProfileInIdToken?: boolean
  readonly acrValues?: readonly string[]
}

export type OpenidIssuer = {
  readonly issuer: string
  readonly clientId: string
  /** Variables that make it the identity provider of a gateway. */
  readonly environment: Readonly<Record<string, string>>
  /** The paths that were requested. */
  readonly requests: readonly string[]
  /**
   * Goes through the sign-in page as a browser does. A browser that is signed in sees no page.
   * @param user `undefined` for one who cancels
   * @returns the address of the callback, which is not requested
   */
  signInAt(authorizationUrl: string, user: IssuerUser | undefined, browser?: Browser): Promise<string>
  /** Ends the browser's session at the provider, as its page does after a click. @returns where the browser is sent */
  signOutAt(endSessionUrl: string, browser: Browser): Promise<string | undefined>
  /** Has the provider send a logout token for a user, and for one session of theirs. */
  sendLogout(user: IssuerUser, sid: string): Promise<void>
  /** A logout token with these claims changed, or left out where the value is `undefined`, signed by the provider's key. */
  logoutToken(claims?: Claims, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** A JWT access token (RFC 9068) of a user. */
  accessToken(user: IssuerUser, audience: string, claims?: Claims): Promise<string>
  /** Any JWT, signed by the provider's key. */
  sign(claims: Claims, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** Signs with a new key from now on, and no longer publishes the others. */
  rotateKeys(): Promise<void>
  /** Refuses connections until `resume`. */
  pause(): Promise<void>
  resume(): Promise<void>
}

/** Of a JWT; `undefined` leaves a claim out. */
type Claims = Readonly<Record<string, unknown>>

type SigningKey = { readonly privateKey: CryptoKey; readonly jwk: JWK; readonly kid: string }

const algorithm = 'ES256'
const cookieKey = randomUUID()
const nowSeconds = () => Math.floor(Date.now() / 1000)

async function createKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const kid = randomUUID()
  return { privateKey, kid, jwk: { ...(await exportJWK(privateKey)), kid, use: 'sig', alg: algorithm } }
}

/** A real OpenID provider on a free port of 127.0.0.1, whose sign-in page is a plain form. */
export async function startOpenidIssuer(t: Test, options: OpenidIssuerOptions): Promise<OpenidIssuer> {
  const { users = [ada, grace], clientId = 'grantkeeper-login', clientSecret = 'login-secret-canary' } = options
  const requests: string[] = []
  let handle: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  const server = createServer((req, res) => {
    requests.push(`${req.method} ${req.url?.replace(/\?.*/, '')}`)
    handle(req, res).catch(error => res.destroy(error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  let key = await createKey()
  let provider: Provider
  const adapter = createAdapter()

  function open(): void {
    provider = new Provider(issuer, configurationOf(options, { users, clientId, clientSecret, jwk: key.jwk, adapter }))
    const respond = provider.callback()
    const interact = createSignInPage(provider, users)
    handle = (req, res) => (req.url?.startsWith('/interaction/') ? interact(req, res) : respond(req, res))
  }
  open()

  async function close(): Promise<void> {
    if (!server.listening) return
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  t.teardown(close)

  const sign = (claims: Claims, header: Partial<JWTHeaderParameters> = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid: key.kid, ...header }).sign(key.privateKey)

  const isAtProvider = (url: URL) => url.origin === issuer

  return {
    issuer,
    clientId,
    environment: {
      LOGIN_ISSUER: issuer,
      LOGIN_CLIENT_ID: clientId,
      ...(clientSecret !== null && { LOGIN_CLIENT_SECRET: clientSecret })
    },
    requests,
    sign,

    async signInAt(authorizationUrl, user, browser = new Browser()) {
      let visit = await browser.visit(authorizationUrl, {}, isAtProvider)
      if (visit.status === 200) {
        const body = new URLSearchParams(user ? { subject: user.subject } : { choice: 'cancel' })
        visit = await browser.visit(visit.url, { method: 'POST', body }, isAtProvider)
      }
      const location = visit.headers.get('location')
      if (location === null) throw new Error(`the provider sent no redirect: ${visit.status} ${visit.text}`)
      return location
    },

    async signOutAt(endSessionUrl, browser) {
      const page = await browser.visit(endSessionUrl, {}, isAtProvider)
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1]
      if (xsrf === undefined) throw new Error(`the provider showed no sign-out page: ${page.status} ${page.text}`)
      const body = new URLSearchParams({ xsrf, logout: 'yes' })
      const { headers } = await browser.visit(`${issuer}/session/end/confirm`, { method: 'POST', body }, isAtProvider)
      return headers.get('location') ?? undefined
    },

    async sendLogout(user, sid) {
      const client = await provider.Client.find(clientId)
      await client?.backchannelLogout(user.subject, sid)
    },

    logoutToken: (claims = {}, header = {}) =>
      sign(
        {
          iss: issuer,
          aud: clientId,
          iat: nowSeconds(),
          exp: nowSeconds() + 120,
          jti: randomUUID(),
          events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
          ...claims
        },
        { typ: 'logout+jwt', ...header }
      ),

    accessToken: (user, audience, claims = {}) =>
      sign(
        {
          iss: issuer,
          sub: user.subject,
          aud: audience,
          client_id: clientId,
          iat: nowSeconds(),
          exp: nowSeconds() + 600,
          jti: randomUUID(),
          ...claims
        },
        { typ: 'at+jwt' }
      ),

    async rotateKeys() {
      key = await createKey()
      open()
    },

    pause: close,

    async resume() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    }
  }
}

type Registered = {
  readonly users: readonly IssuerUser[]
  readonly clientId: string
  readonly clientSecret: string | null
  readonly jwk: JWK
  readonly adapter: (model: string) => Adapter
}

/** In memory. It outlives the provider, which a rotation of keys replaces. */
function createAdapter(): (model: string) => Adapter {
  type Items = Map<string, Record<string, unknown>>
  const models = new Map<string, Items>()
  return model => {
    const items: Items = models.get(model) ?? new Map()
    models.set(model, items)
    return {
      upsert: async (id, payload) => void items.set(id, payload),
      find: async id => items.get(id),
      findByUid: async uid => items.values().find(payload => payload.uid === uid),
      consume: async id => void Object.assign(items.get(id) ?? {}, { consumed: nowSeconds() }),
      destroy: async id => void items.delete(id),
      async revokeByGrantId(grantId) {
        for (const [id, payload] of items) if (payload.grantId === grantId) items.delete(id)
      }
    }
  }
}

function configurationOf(
  options: OpenidIssuerOptions,
  { users, clientId, clientSecret, jwk, adapter }: Registered
): Record<string, unknown> {
  const { redirectUris, postLogoutRedirectUris = [], backchannelLogoutUri = 'http://127.0.0.1:9/logout' } = options
  const { hasProfileInIdToken = true, acrValues = [] } = options
  return {
    adapter,
    clients: [
      {
        client_id: clientId,
        ...(clientSecret !== null && { client_secret: clientSecret }),
        token_endpoint_auth_method: clientSecret === null ? 'none' : 'client_secret_basic',
        redirect_uris: redirectUris,
        post_logout_redirect_uris: postLogoutRedirectUris,
        backchannel_logout_uri: backchannelLogoutUri,
        backchannel_logout_session_required: true,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        id_token_signed_response_alg: algorithm
      }
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: [cookieKey] },
    claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
    conformIdTokenClaims: !hasProfileInIdToken,
    acrValues,
    responseTypes: ['code'],
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: (ctx: Context, form: string) => showSignOut(ctx, form) }
    },
    interactions: { url: (_ctx: Context, { uid }: { uid: string }) => `/interaction/${uid}` },
    // Without its dispatcher, which connects to public addresses only.
    fetch: (url: string, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown }) => fetch(url, init),
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 600, Session: 3600 },
    findAccount(_ctx: Context, sub: string) {
      const user = users.find(({ subject }) => subject === sub)
      return user && { accountId: sub, claims: () => ({ sub, name: user.name, email: user.email }) }
    },
    renderError(ctx: Context, { error, error_description: description = '' }: { error: string; error_description?: string }) {
      ctx.type = 'html'
      ctx.body = page('Error', `<p>${error}: ${description}</p>`)
    }
  }
}

const page = (title: string, body: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}</html>`

function showSignOut(ctx: Context, form: string): void {
  ctx.type = 'html'
  ctx.body = page('Sign out', `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`)
}

/** A button for each user, and one to cancel. */
function createSignInPage(provider: Provider, users: readonly IssuerUser[]) {
  const buttons = users.map(({ subject, name }) => `<button name="subject" value="${subject}">Sign in as ${name}</button>`)
  const html = page('Sign in', `<form method="post">${buttons.join(' ')} <button name="choice" value="cancel">Cancel</button></form>`)

  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { params } = await provider.interactionDetails(req, res)
    if (req.method !== 'POST') return void res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
    const subject = new URLSearchParams(await text(req)).get('subject')
    const user = users.find(one => one.subject === subject)
    if (!user) {
      const result = { error: 'access_denied', error_description: 'The user cancelled the sign-in' }
      return provider.interactionFinished(req, res, result)
    }
    const grant = new provider.Grant({ accountId: user.subject, clientId: params.client_id })
    grant.addOIDCScope(params.scope ?? 'openid')
    await provider.interactionFinished(req, res, {
      login: { accountId: user.subject, ...(user.acr !== undefined && { acr: user.acr }) },
      consent: { grantId: await grant.save() }
    })
  }
}
