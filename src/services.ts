import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from './config/config.ts'
import { createEvents } from './core/events.ts'
import { flowLifetimeMs } from './core/flow.ts'
import { createCompleteSignIn } from './core/oauth/complete-sign-in.ts'
import { createConnectCodes } from './core/oauth/connect-codes.ts'
import { createDisconnect } from './core/oauth/disconnect.ts'
import { createExpiredSessionSweep } from './core/oauth/expired-sessions.ts'
import { createRenewal, maxRefreshMs } from './core/oauth/renewal.ts'
import { createRevocation, type MadeWith } from './core/oauth/revocation.ts'
import { revocationNeeds } from './core/oauth/revocation-needs.ts'
import { createSignInOutcomes } from './core/oauth/sign-in-outcome.ts'
import type { KeyExchange, TokenEndpoint } from './core/oauth/token-endpoint.ts'
import { createUserLogin } from './core/oauth/user-login.ts'
import { createUserSignIns } from './core/oauth/user-sign-ins.ts'
import { createUserSweep } from './core/oauth/user-sweep.ts'
import type { Clock, LookupFor, Store } from './core/ports.ts'
import { createConnectWithKey } from './core/proxy/api-key.ts'
import { createChoose } from './core/proxy/choose.ts'
import { createConcurrencyLimits } from './core/proxy/concurrency-limits.ts'
import { createForward } from './core/proxy/forward.ts'
import { createLinks } from './core/proxy/links.ts'
import { createLookups } from './core/proxy/lookup.ts'
import { createProxiedCalls } from './core/proxy/proxied-call.ts'
import type { Send } from './core/proxy/upstream.ts'
import type { Site } from './core/site.ts'
import type { Bearers } from './core/users/bearers.ts'
import type { Identify } from './core/users/identify.ts'
import { createServiceKeys } from './core/users/service-keys.ts'
import { createDeferredTasks } from './core/util/deferred-tasks.ts'
import { createCipher } from './core/vault/cipher.ts'
import { createInvitations } from './core/vault/invitations.ts'
import { createOwnerNames } from './core/vault/owner-names.ts'
import { defaultRecordCacheLimits } from './core/vault/record-cache.ts'
import { createUserPrincipals } from './core/vault/user-principals.ts'
import { createVault } from './core/vault/vault.ts'
import { createBearerTokens } from './identity/bearer-tokens.ts'
import { createBearers } from './identity/bearers.ts'
import { createIssuer } from './identity/issuer.ts'
import { createLoginClient } from './identity/login-client.ts'
import { createKeyExchange } from './oauth2/key-exchange.ts'
import { createOAuthProvider, type OAuthProvider } from './oauth2/oauth-provider.ts'
import type { TokenTimeouts } from './oauth2/token-endpoint.ts'
import { createPageContexts } from './pages/context.ts'

export type ServiceDependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly send: Send
  readonly lookupFor: LookupFor
  /** In an embedding application: who the user of a request is. */
  readonly identify?: Identify
  /** Where the embedding application signs users in. */
  readonly loginUrl?: string
  readonly tokenTimeouts?: TokenTimeouts
  /** How long a session whose response was lost can be claimed by its browser, in milliseconds. */
  readonly undeliveredMs?: number
  /** Tests put another token endpoint in place of a provider's own. */
  readonly tokenEndpointFor?: (provider: string, own: TokenEndpoint) => TokenEndpoint
}

/** A refresh may take a minute. Its limit must not exceed `maxRefreshMs`, for which the lease is made. */
const defaultTokenTimeouts: TokenTimeouts = { exchangeMs: 30_000, refreshMs: maxRefreshMs }

/** Everything that plugins work with, made once. Plugins take what they need as options: `Pick<Services, 'vault' | 'clock'>`. */
export type Services = ReturnType<typeof createServices>

export function createServices(config: Config, dependencies: ServiceDependencies) {
  const { store, clock, send, lookupFor, identify, tokenTimeouts = defaultTokenTimeouts, undeliveredMs = flowLifetimeMs } = dependencies
  const { providers, publicUrl, publicOrigin, basePath, allowedOrigins, session: limits, connectionIdleMs } = config
  const cipher = createCipher(config.keys.token)
  const events = createEvents()
  const recordCache = { ...defaultRecordCacheLimits, graceMs: config.storeGraceMs }
  const vault = createVault({ store, cipher, limits, connectionIdleMs, clock, events, cache: recordCache })
  const invitations = createInvitations({ store, cipher, limits, connectionIdleMs, clock })
  const outcomes = createSignInOutcomes({ store, cipher })
  const connectCodes = createConnectCodes({ store, cipher, clock })
  const ownerNames = createOwnerNames({ store, cipher, clock })

  const { jwt, serviceKeys } = config.bearer
  const jwtIssuer = jwt?.keys.kind === 'issuer' ? jwt.keys : undefined
  const issuerName = config.login?.issuer ?? jwtIssuer?.issuer
  // Sign-in and bearer tokens have one issuer, so its metadata and keys are fetched once.
  const issuer =
    issuerName === undefined
      ? undefined
      : createIssuer({
          issuer: issuerName,
          isForLogin: config.login !== undefined,
          clock,
          events,
          lookupFor,
          ...(jwtIssuer?.jwksUrl !== undefined && { jwksUrl: jwtIssuer.jwksUrl })
        })
  const shared = { clock, events, lookupFor, ...(issuer && { issuer }) }
  const namespace = config.userNamespaces[0] ?? { issuer: '', claim: 'sub' }
  const bearers: Bearers | undefined =
    jwt || serviceKeys.length > 0
      ? createBearers({
          tokens: jwt && createBearerTokens({ jwt, loginClientId: config.login?.clientId, ...shared }),
          serviceKeys: createServiceKeys(serviceKeys),
          ownerNames,
          namespace
        })
      : undefined
  const login = config.login && {
    client: createLoginClient({ config: config.login, redirectUri: `${publicUrl}/login/callback`, ...shared }),
    userLogin: createUserLogin({ store, cipher, vault, ownerNames, limits, issuer: config.login.issuer })
  }

  const oauthProviders = new Map<string, OAuthProvider>(
    [...providers.values()].flatMap(({ definition, client }) => {
      const method = definition.methods.oauth2
      if (!method || !client) return []
      const provider = createOAuthProvider({ definition, method, client, publicUrl, lookupFor, timeouts: tokenTimeouts })
      const tokenEndpoint = dependencies.tokenEndpointFor?.(definition.name, provider.tokenEndpoint) ?? provider.tokenEndpoint
      return [[definition.name, { ...provider, tokenEndpoint }]]
    })
  )
  const keyExchanges = new Map<string, KeyExchange>(
    [...providers.values()].flatMap(({ definition, client }) => {
      const { apiKey } = definition.methods
      if (!apiKey?.tokenRequest) return []
      const method = { ...apiKey, tokenRequest: apiKey.tokenRequest }
      return [[definition.name, createKeyExchange({ definition, method, clientId: client?.id, lookupFor, timeouts: tokenTimeouts })]]
    })
  )
  const endpointOf = ({ provider, method }: MadeWith) =>
    method === 'oauth2' ? oauthProviders.get(provider)?.tokenEndpoint : keyExchanges.get(provider)

  const revocation = createRevocation({
    store,
    cipher,
    clock,
    events,
    endpointOf,
    scopeOf: ({ provider, method }) => {
      const { oauth2, apiKey } = providers.get(provider)?.definition.methods ?? {}
      if (method === 'api_key') return apiKey?.revokeRequest && 'token'
      return oauth2?.revokeUrl === undefined && !oauth2?.revokeRequest ? undefined : (oauth2.revocation ?? 'grant')
    },
    needsOf: ({ provider, method }) => {
      const definition = providers.get(provider)?.definition
      return definition ? revocationNeeds(definition, method) : new Set()
    }
  })
  const renewal = createRenewal({ vault, store, lease: store, changes: store.changes, clock, events, revocation, endpointOf })
  const { addAccount, lookUpChoice } = createLookups({ send, events, providers, vault })
  const deferredTasks = createDeferredTasks(undeliveredMs, error => events.publish('cleanup.failed', { code: codeOf(error) }))

  const userSweep = createUserSweep({
    store,
    cipher,
    limits,
    connectionIdleMs,
    clock,
    revocation,
    pause: ms => sleep(ms, undefined, { ref: false })
  })

  const site: Site = { publicUrl, basePath }

  return {
    providers,
    publicUrl,
    publicOrigin,
    basePath,
    site,
    pageContexts: createPageContexts(site, config.brand),
    allowedOrigins,
    limits,
    store,
    clock,
    send,
    events,
    vault,
    ownerNames,
    connectCodes,
    links: createLinks({ cipher, clock }),
    bearers,
    issuer,
    login,
    identify,
    /** Where a browser that nobody is signed in to goes, if users sign in. */
    loginUrl: login ? `${publicUrl}/login` : dependencies.loginUrl,
    principalOf: createUserPrincipals(ownerNames, namespace),
    invitations,
    userSignIns: createUserSignIns({
      providers,
      publicUrl,
      ownOrigin: publicOrigin.origin,
      allowedOrigins,
      connectCodes,
      vault,
      revocation
    }),
    ...createDisconnect({ store, vault, revocation }),
    oauthProviders,
    /** By provider: those whose keys are exchanged for access tokens. */
    keyExchanges: keyExchanges as ReadonlyMap<string, KeyExchange>,
    renewal,
    revocation,
    deferredTasks,
    sendCall: createProxiedCalls({
      forward: createForward({ send, renew: renewal.renew, vault, clock, events }),
      concurrencyLimits: createConcurrencyLimits(),
      vault,
      clock,
      events
    }),
    connectWithKey: createConnectWithKey({ send, clock, addAccount, exchangeOf: provider => keyExchanges.get(provider), revocation }),
    choose: createChoose({ providers, lookUpChoice, renew: renewal.renew, vault, clock }),
    completeSignIn: createCompleteSignIn({
      store,
      clock,
      events,
      vault,
      invitations,
      outcomes,
      connectCodes,
      revocation,
      deferredTasks,
      ownHost: publicOrigin.host,
      basePath,
      addAccount
    }),
    userSweep,
    expiredSessionSweep: createExpiredSessionSweep({
      store,
      cipher,
      limits,
      clock,
      revocation,
      sweepUser: userSweep.sweepOwner,
      resumeTakeover: vault.resumeTakeover
    })
  }
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code
