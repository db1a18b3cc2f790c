import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { InvalidScope } from 'oidc-provider/lib/helpers/errors.js'
import { base, Check } from 'oidc-provider/lib/helpers/interaction_policy/index.js'
// Not the package's entry point, which logs a warning on every Node version that is not LTS.
import { type Context, Provider } from 'oidc-provider/lib/provider.js'
import { errorPage, pageHeaders } from './consent-page.ts'
import type { GrantStore } from './grant-store.ts'
import type { Switches } from './switches.ts'
import type { Vendor } from './vendor.ts'

export type Client = { readonly id: string; readonly secret: string; readonly redirectUris: readonly string[] }

type AuthorizationServerOptions = {
  readonly vendor: Vendor
  readonly issuer: string
  readonly client: Client
  readonly switches: Switches
  readonly store: GrantStore
}

/** Granted internally for vendors without scopes, because oidc-provider rejects a grant without one. */
const fallbackScope = 'everything'

export const scopesOf = ({ oauth }: Vendor): string[] => {
  const scopes = Object.keys(oauth.scopes)
  return scopes.length > 0 ? scopes : [fallbackScope]
}

const days = (n: number) => n * 86_400

/** A vendor's OAuth 2.0 server: codes with PKCE, exact redirect URIs, opaque tokens, and refresh tokens with every grant. */
export function createAuthorizationServer({ vendor, issuer, client, switches, store }: AuthorizationServerOptions): Provider {
  return new Provider(issuer, {
    adapter: (model: string) => store.adapter(model),
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        client_name: 'Grantkeeper',
        redirect_uris: client.redirectUris,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_post',
        id_token_signed_response_alg: 'ES256'
      }
    ],
    clientAuthMethods: ['client_secret_post'],
    responseTypes: ['code'],
    scopes: scopesOf(vendor),
    // Without a key oidc-provider warns of its built-in one. Nothing is signed with it, because no client requests `openid`.
    jwks: { keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })] },
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      // The vendors share a host and would read each other's cookies.
      names: {
        session: `sandbox_${vendor.name}`,
        interaction: `sandbox_${vendor.name}_interaction`,
        resume: `sandbox_${vendor.name}_resume`
      }
    },
    routes: { authorization: '/authorize', token: '/token', revocation: '/revoke', jwks: '/jwks' },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      revocation: {
        enabled: vendor.oauth.revocation === true,
        // There is only one client.
        allowedPolicy: () => true
      }
    },
    pkce: { required: () => true },
    clockTolerance: 0,
    ttl: {
      AccessToken: () => switches.accessTokenSeconds,
      AuthorizationCode: 60,
      Grant: days(180),
      Interaction: 600,
      RefreshToken: days(180),
      Session: 600
    },
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    rotateRefreshToken: () => switches.rotateRefreshTokens,
    clientBasedCORS: () => false,
    findAccount: (_ctx: Context, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: {
      policy: strictPolicy(scopesOf(vendor)),
      url: (_ctx: Context, { uid }: { uid: string }) => `${new URL(issuer).pathname}/interaction/${uid}`
    },
    renderError(ctx: Context, { error, error_description: description = '' }: { error: string; error_description?: string }) {
      ctx.type = 'html'
      ctx.response.set(pageHeaders)
      ctx.body = errorPage(vendor.title, `${error}: ${description}`)
    }
  })
}

// oidc-provider ignores unknown scopes, so a client's `scope=undefined` would go unnoticed. Its own parameters no longer have them at this
// point, so the check reads the query, which is present only on the first request and not on the return from the consent page.
function strictPolicy(known: readonly string[]) {
  const policy = base()
  policy.get('login').checks.add(
    new Check('unknown_scope', 'every scope is known', ctx => {
      const unknown = ctx.query.scope?.split(' ').find(scope => !known.includes(scope))
      if (unknown !== undefined) throw new InvalidScope('requested scope is unknown', unknown)
      return false
    })
  )
  return policy
}
