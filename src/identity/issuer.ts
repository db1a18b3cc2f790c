import type { ServerMetadata } from 'openid-client'
import type { Events } from '../core/events.ts'
import type { Clock, LookupFor } from '../core/ports.ts'
import type { IssuerKeysConfig } from '../core/users/bearer-config.ts'
import { createCachedDocument } from './cached-document.ts'
import { IssuerError } from './issuer-errors.ts'
import { createIssuerFetch, fetchJson, type IssuerFetch } from './issuer-fetch.ts'
import { fetchMetadata } from './issuer-metadata.ts'
import { isAnyWithdrawn, type KeySource } from './key-source.ts'
import { parseKeySet, type VerificationKey } from './verification-keys.ts'

/** The operator's identity provider: its metadata, and the keys that it publishes. Nothing is requested before the first use. */
export type Issuer = {
  /** As its tokens and metadata spell it. */
  readonly name: string
  readonly keys: KeySource
  /** For requests to its endpoints. */
  readonly fetch: IssuerFetch
  /**
   * OpenID Connect Discovery 1.0 §4 or RFC 8414 §3. Endpoints in it are on https, unless the issuer itself is not.
   * @throws `issuer_unavailable` while none are known
   */
  metadata(): Promise<ServerMetadata>
  /** Fetches metadata and keys, so that the first request need not wait and the log tells of a wrong issuer. Never rejects. */
  preload(): Promise<void>
  /** Ends fetches of metadata and keys in flight. */
  close(): void
}

export type IssuerOptions = {
  /** To the letter, with or without a slash at its end. Without query and fragment. */
  readonly issuer: string
  /** URL of the key set (RFC 7517 §5), instead of the one that the metadata name. */
  readonly jwksUrl?: IssuerKeysConfig['jwksUrl']
  /** Whether users sign in there: then metadata without the endpoints for that are refused. */
  readonly isForLogin: boolean
  readonly clock: Clock
  readonly events: Events
  /** Trusts the issuer's origin, and that of `jwksUrl`. */
  readonly lookupFor: LookupFor
  /** For each request; by default 5 s. */
  readonly fetchTimeoutMs?: number | undefined
}

const loginEndpoints = ['authorization_endpoint', 'token_endpoint']
const whatKeys = 'the key set of the issuer'

/** Metadata and keys stay in use for as long as the issuer is down: it can only have published more of them. */
export function createIssuer({ issuer, jwksUrl, isForLogin, clock, events, lookupFor, fetchTimeoutMs }: IssuerOptions): Issuer {
  const fetch = createIssuerFetch({ lookupFor, timeoutMs: fetchTimeoutMs })
  const closing = new AbortController()
  const { signal } = closing
  const requiredEndpoints = [...(isForLogin ? loginEndpoints : []), ...(jwksUrl === undefined ? ['jwks_uri'] : [])]
  let withdrawals = 0

  /** The documents whose last fetch failed: an outage ends when none is left. */
  const failing = new Set<string>()

  const outageOf = (name: string) => ({
    start({ message, code }: IssuerError): void {
      if (signal.aborted) return
      if (failing.size === 0) events.publish('issuer.unavailable', { issuer, message, code, hasKeys: keys.isKnown() })
      failing.add(name)
    },
    end(): void {
      if (failing.delete(name) && failing.size === 0) events.publish('issuer.available', { issuer })
    }
  })

  const metadataOutage = outageOf('metadata')
  const metadata = createCachedDocument<ServerMetadata>({
    load: () => fetchMetadata({ issuer, requiredEndpoints, fetch, signal }),
    clock,
    onLoad: metadataOutage.end,
    onFailure: metadataOutage.start
  })

  const keysOutage = outageOf('keys')
  const keys = createCachedDocument<readonly VerificationKey[]>({
    async load() {
      const found = parseKeySet(await fetchJson(fetch, jwksUrl ?? (await discoverJwksUrl()), { what: whatKeys, signal }))
      // Not taken as a withdrawal of all keys: a server that has just started may not have loaded them yet.
      if (!found?.length) throw new IssuerError(`${whatKeys} has no key that can verify signatures`)
      return found
    },
    clock,
    onLoad(loaded, previous) {
      if (previous && isAnyWithdrawn(previous, loaded)) withdrawals++
      keysOutage.end()
    },
    onFailure: keysOutage.start
  })

  async function discoverJwksUrl(): Promise<string> {
    // Waited for, because keys may have moved. No request waits: those have the keys that are known.
    await metadata.refreshIfOld()
    return String((await metadata.current()).jwks_uri)
  }

  const { current, newerThan, refreshIfOld } = keys
  return {
    name: issuer,
    keys: { current, newerThan, refreshIfOld, withdrawals: () => withdrawals },
    fetch,
    metadata: metadata.current,
    async preload() {
      await Promise.allSettled([current(), isForLogin && metadata.current()])
    },
    close: () => closing.abort()
  }
}
