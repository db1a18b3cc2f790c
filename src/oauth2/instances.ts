import type { OAuth2Method } from '../core/provider/definition.ts'
import { variablesIn } from '../core/provider/template.ts'
import { BoundedMap } from '../core/util/bounded-map.ts'
import { createOAuth2Client, type OpenOAuth2Client } from './client.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import { maxResponseBytes, userAgent } from './send-request.ts'

/** Of a provider whose addresses differ between users. Each takes 160 kB of heap, and another one is made in a millisecond. */
const maxInstances = 20

/** @param method with the addresses of one user */
export type InstanceOf = (method: OAuth2Method) => OpenOAuth2Client

/**
 * The `@fastify/oauth2` instances of one provider: one for each set of addresses, and so a single one for most. State, PKCE and cookies are ours
 * (decision 4): without `startRedirectPath` and `pkce` an instance is an OAuth client alone.
 */
export function createInstances(callbackUri: string, authentication: ClientAuthentication): InstanceOf {
  const instances = new BoundedMap<string, OpenOAuth2Client>({ maxEntries: maxInstances, order: 'lru' })
  return method => {
    const { authorizeUrl, tokenUrl, refreshUrl, revokeUrl, tokenHeaders } = method
    const key = JSON.stringify([authorizeUrl, tokenUrl, refreshUrl, revokeUrl, tokenHeaders])
    let instance = instances.get(key)
    if (!instance) {
      instance = createOAuth2Client({ callbackUri, userAgent, credentials: credentials(method, authentication) })
      instances.set(key, instance)
    }
    return instance
  }
}

function credentials(method: OAuth2Method, { client, options }: ClientAuthentication) {
  const { authorizeUrl, tokenUrl, refreshUrl, revokeUrl } = method
  const [authorize, token, refresh, revoke] = [authorizeUrl, tokenUrl, refreshUrl, revokeUrl].map(parseKnown)
  // An address may depend on what the sign-in tells, or on what the connection was made without. It is not requested then.
  const any = (authorize ?? token) as URL
  return {
    client,
    auth: {
      authorizeHost: (authorize ?? any).origin,
      ...(authorize && { authorizePath: authorize.pathname + authorize.search }),
      tokenHost: (token ?? any).origin,
      // Absolute: each endpoint may be on a host of its own.
      tokenPath: (token ?? any).href,
      refreshPath: (refresh ?? token ?? any).href,
      ...(revoke && { revokePath: revoke.href })
    },
    // Parses as JSON whatever the Content-Type. A body that is not JSON comes back unchanged in the error.
    http: { json: 'force', maxBytes: maxResponseBytes, headers: { ...method.tokenHeaders } },
    options: {
      ...options,
      scopeSeparator: method.scopeSeparator ?? ' ',
      bodyFormat: method.tokenRequestFormat === 'json' ? 'json' : 'form'
    }
  }
}

const parseKnown = (url: string | undefined): URL | undefined =>
  url === undefined || variablesIn(url).length > 0 ? undefined : new URL(url)
