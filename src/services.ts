import type { Config } from './config/config.ts'
import { createEvents } from './core/events.ts'
import { flowLifetimeMs } from './core/flow.ts'
import { createCompleteSignIn } from './core/oauth/complete-sign-in.ts'
import { createExpiredSessionSweep } from './core/oauth/expired-sessions.ts'
import { createRenewal, maxRefreshMs } from './core/oauth/renewal.ts'
import { createRevocation } from './core/oauth/revocation.ts'
import { createSignInOutcomes } from './core/oauth/sign-in-outcome.ts'
import type { TokenEndpoint } from './core/oauth/token-endpoint.ts'
import type { Clock, LookupFor, Store } from './core/ports.ts'
import { createAccountLookup } from './core/proxy/account-lookup.ts'
import { createConcurrencyLimits } from './core/proxy/concurrency-limits.ts'
import { createForward } from './core/proxy/forward.ts'
import type { Send } from './core/proxy/upstream.ts'
import { createDeferredTasks } from './core/util/deferred-tasks.ts'
import { createCipher } from './core/vault/cipher.ts'
import { createInvitations } from './core/vault/invitations.ts'
import { defaultRecordCacheLimits } from './core/vault/record-cache.ts'
import { createVault } from './core/vault/vault.ts'
import { createOAuthProvider, type OAuthProvider } from './oauth2/oauth-provider.ts'
import type { TokenTimeouts } from './oauth2/token-endpoint.ts'

export type ServiceDependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly send: Send
  readonly lookupFor: LookupFor
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
  const { store, clock, send, lookupFor, tokenTimeouts = defaultTokenTimeouts, undeliveredMs = flowLifetimeMs } = dependencies
  const { providers, publicUrl, publicOrigin, allowedOrigins, session: limits } = config
  const cipher = createCipher(config.keys.token)
  const events = createEvents()
  const recordCache = { ...defaultRecordCacheLimits, graceMs: config.storeGraceMs }
  const vault = createVault({ store, cipher, limits, clock, events, cache: recordCache })
  const invitations = createInvitations({ store, cipher, limits, clock })
  const outcomes = createSignInOutcomes({ store, cipher })

  const oauthProviders = new Map<string, OAuthProvider>(
    [...providers.values()].flatMap(({ definition, client }) => {
      const method = definition.methods.oauth2
      if (!method || !client) return []
      const provider = createOAuthProvider({ definition, method, client, publicUrl, lookupFor, timeouts: tokenTimeouts })
      const tokenEndpoint = dependencies.tokenEndpointFor?.(definition.name, provider.tokenEndpoint) ?? provider.tokenEndpoint
      return [[definition.name, { ...provider, tokenEndpoint }]]
    })
  )
  const endpointOf = (provider: string) => oauthProviders.get(provider)?.tokenEndpoint

  const revocation = createRevocation({
    store,
    cipher,
    clock,
    events,
    endpointOf,
    scopeOf: provider => {
      const method = providers.get(provider)?.definition.methods.oauth2
      return method?.revokeUrl === undefined ? undefined : (method.revocation ?? 'grant')
    }
  })
  const renewal = createRenewal({ vault, store, lease: store, changes: store.changes, clock, events, revocation, endpointOf })
  const addAccount = createAccountLookup({ send, events, providers })
  const deferredTasks = createDeferredTasks(undeliveredMs, error => events.publish('cleanup.failed', { code: codeOf(error) }))

  return {
    providers,
    publicUrl,
    publicOrigin,
    allowedOrigins,
    limits,
    store,
    clock,
    send,
    events,
    vault,
    invitations,
    oauthProviders,
    renewal,
    revocation,
    deferredTasks,
    concurrencyLimits: createConcurrencyLimits(),
    forward: createForward({
      send,
      renew: renewal.renew,
      vault,
      clock,
      events
    }),
    addAccount,
    completeSignIn: createCompleteSignIn({
      store,
      clock,
      events,
      vault,
      invitations,
      outcomes,
      revocation,
      deferredTasks,
      publicUrl,
      addAccount
    }),
    expiredSessionSweep: createExpiredSessionSweep({ store, cipher, limits, clock, revocation })
  }
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code
